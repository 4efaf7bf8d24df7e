using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Npgsql;

namespace Cdc.Engine.Progress;

/// <summary>What is committed in the engine, and what was written down before it was confirmed to the source.</summary>
public sealed class AppliedProgress(EngineOptions options, Checkpoint start, long session) : IAppliedProgress, IAsyncDisposable
{
    private NpgsqlConnection? _connection;
    private ulong _through = start.Through.Value;

    public Lsn Through => new(Volatile.Read(ref _through));

    public void Applied(Checkpoint checkpoint) => Volatile.Write(ref _through, checkpoint.Through.Value);

    public Task RecordWrittenAsync(Lsn lsn, CancellationToken ct) => EngineErrors.GuardAsync(() => RecordAsync(lsn, ct));

    private async Task RecordAsync(Lsn lsn, CancellationToken ct)
    {
        // Flushed always: a synchronous commit also flushes every asynchronous one before it.
        _connection ??= await EngineConnection.OpenAsync(options with { SynchronousCommit = true }, "feedback", ct).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(
            "UPDATE cdc.source SET written_lsn = greatest(written_lsn, $1), updated_at = now() WHERE session = $2",
            _connection
        )
        {
            Parameters =
            {
                Statements.Parameter(lsn),
                new() { Value = session },
            },
        };
        await command.PrepareAsync(ct).ConfigureAwait(false);
        if (await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) != 1)
            throw new FencedException($"Session {session} is not the one that follows the source any more.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync().ConfigureAwait(false);
    }
}
