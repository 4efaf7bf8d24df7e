using Cdc.Core.Changes;
using Cdc.Core.Progress;
using Cdc.Engine.Tables;

namespace Cdc.Engine.Progress;

/// <summary>What is committed in the engine, and what was written down before it was confirmed to the source.</summary>
public sealed class AppliedProgress(EngineOptions options, CheckpointTable checkpoint, long session) : IAppliedProgress, IAsyncDisposable
{
    // Flushed always: a synchronous commit also flushes every asynchronous one before it.
    private readonly SharedConnection _connection = new(options with { SynchronousCommit = true }, EngineRole.Feedback);

    public Lsn Through => checkpoint.Committed.Through;

    public Task RecordWrittenAsync(Lsn lsn, CancellationToken ct) =>
        _connection.UseAsync(c => SourceTable.SetWrittenAsync(c, lsn, session, ct), ct);

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
