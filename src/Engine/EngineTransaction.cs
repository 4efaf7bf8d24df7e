using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine;

/// <summary>BEGIN, COMMIT and savepoints as plain statements: the engine transaction outlives many flushes.</summary>
public sealed class EngineTransaction(NpgsqlConnection connection)
{
    public bool IsOpen { get; private set; }

    /// <summary>Rows have been written since BEGIN.</summary>
    public bool HasWork { get; set; }

    public async Task BeginAsync(CancellationToken ct)
    {
        if (IsOpen)
            return;
        await ExecuteAsync("BEGIN", ct);
        (IsOpen, HasWork) = (true, false);
    }

    public async Task CommitAsync(CancellationToken ct)
    {
        await ExecuteAsync("COMMIT", ct);
        (IsOpen, HasWork) = (false, false);
    }

    public async Task RollbackAsync(CancellationToken ct)
    {
        if (!IsOpen)
            return;
        await ExecuteAsync("ROLLBACK", ct);
        (IsOpen, HasWork) = (false, false);
    }

    public Task SavepointAsync(string name, CancellationToken ct) => ExecuteAsync($"SAVEPOINT {name}", ct);

    public Task ReleaseAsync(string name, CancellationToken ct) => ExecuteAsync($"RELEASE SAVEPOINT {name}", ct);

    public Task RollbackToAsync(string name, CancellationToken ct) => ExecuteAsync($"ROLLBACK TO SAVEPOINT {name}", ct);

    private Task<int> ExecuteAsync(string sql, CancellationToken ct) => connection.Statement(sql).ExecuteAsync(ct);
}
