using System.Globalization;
using Cdc.Tests.Integration.Pipeline.Matrix;
using Npgsql;

namespace Cdc.Tests.Integration.Pipeline.Histories;

/// <summary>One of Odoo's sessions: random transactions, with savepoints, rollbacks and two-phase commits.</summary>
/// <param name="tableChanges">Somebody changes the tables meanwhile: what the source refuses then is no defect of the plan.</param>
internal sealed class HistorySession(NpgsqlConnection connection, HistoryPlan plan, string name, bool tableChanges) : IAsyncDisposable
{
    private readonly Queue<string> _prepared = new();
    private int _transactions;

    public static async Task<HistorySession> OpenAsync(
        NpgsqlDataSource source,
        int seed,
        string name,
        bool tableChanges,
        CancellationToken ct
    )
    {
        var connection = await source.OpenConnectionAsync(ct);
        var session = new HistorySession(connection, new HistoryPlan(new Random(seed)), name, tableChanges);
        // Shorter than deadlock detection: a session that waits in a circle gives up.
        await session.ExecuteAsync("SET lock_timeout = '100ms'", ct);
        return session;
    }

    /// <summary>Some transactions, then nothing is left prepared.</summary>
    /// <param name="between">Called while this session has no lock: none of its transactions is prepared.</param>
    public async Task RunAsync(int transactions, Func<Task> between, CancellationToken ct)
    {
        for (var i = 0; i < transactions; i++)
        {
            if (_prepared.Count == 0)
                await between();
            if (plan.Chance(40))
                await FinishPreparedAsync(ct);
            await TransactionAsync(ct);
        }
        while (_prepared.Count > 0)
            await FinishPreparedAsync(ct);
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private async Task TransactionAsync(CancellationToken ct)
    {
        await ExecuteAsync(plan.Chance(25) ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN", ct);
        for (var operations = plan.Chance(10) ? plan.Between(10, 25) : plan.Between(1, 5); operations > 0; operations--)
            await OperationAsync(ct);
        if (plan.Chance(10))
            await ExecuteAsync("ROLLBACK", ct);
        else if (plan.Chance(8))
            await PrepareAsync(ct);
        else
            await ExecuteAsync("COMMIT", ct);
    }

    private async Task OperationAsync(CancellationToken ct)
    {
        await ExecuteAsync("SAVEPOINT operation", ct);
        try
        {
            foreach (var statement in plan.NextOperation())
                await ExecuteAsync(statement, ct);
            await ExecuteAsync(plan.Chance(8) ? "ROLLBACK TO operation" : "RELEASE operation", ct);
        }
        catch (PostgresException e) when (IsCollision(e))
        {
            await ExecuteAsync("ROLLBACK TO operation", ct);
        }
    }

    private async Task PrepareAsync(CancellationToken ct)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{name}-{++_transactions}");
        await ExecuteAsync($"PREPARE TRANSACTION '{id}'", ct);
        _prepared.Enqueue(id);
    }

    private async Task FinishPreparedAsync(CancellationToken ct)
    {
        if (_prepared.TryDequeue(out var id))
            await ExecuteAsync($"{(plan.Chance(70) ? "COMMIT" : "ROLLBACK")} PREPARED '{id}'", ct);
    }

    /// <summary>What transactions over the same keys do to each other: constraints (23), serialization (40), locks.</summary>
    private bool IsCollision(PostgresException e) =>
        e.SqlState[..2] is "23" or "40"
        || e.SqlState == PostgresErrorCodes.LockNotAvailable
        || (tableChanges && SourceOwner.IsOfChangedTable(e));

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
