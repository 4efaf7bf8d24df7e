using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;

namespace Cdc.Apply.Rows;

/// <summary>
/// Two batches: while the engine writes one, the other is folded. Batches are written one after the other, in the order they were folded.
/// While one is being written nothing else may use the engine's connection: await <see cref="WrittenAsync"/> first.
/// </summary>
/// <param name="gate">Null: nothing is loaded beside the log.</param>
internal sealed class WriteBehind(BatchWriter writer, LoadGate? gate, PipelineStatistics statistics)
{
    private BatchFolder _written = new(writer.Entities);
    private Task _writing = Task.CompletedTask;

    public BatchFolder Folding { get; private set; } = new(writer.Entities);

    public BatchWriter Writer => writer;

    /// <summary>Begins to write what is folded, as soon as the batch before is written; <see cref="Folding"/> is empty then.</summary>
    public async Task BeginWriteAsync(CancellationToken ct)
    {
        await WrittenAsync();
        if (Folding.Count == 0)
            return;
        var batch = Folding;
        (Folding, _written) = (_written, batch);
        _writing = Task.Run(() => WriteAsync(batch, ct), ct);
    }

    /// <summary>Throws what the batch that is being written threw, once.</summary>
    public Task WrittenAsync()
    {
        var writing = _writing;
        _writing = Task.CompletedTask;
        return writing;
    }

    /// <summary>When everything is written, and loads that were reserved before have ended.</summary>
    public async Task TruncateAsync(int entity, ChangePosition position, CancellationToken ct)
    {
        await WrittenAsync();
        if (gate is not null)
            await gate.EnterAllAsync(entity).WaitAsync(ct);
        await writer.TruncateAsync(entity, position, ct);
    }

    /// <summary>The engine transaction has ended: loads may enter the ranges that it touched.</summary>
    public void TransactionEnded() => gate?.Leave();

    private async Task WriteAsync(BatchFolder batch, CancellationToken ct)
    {
        var keys = batch.SortedKeys();
        foreach (var entity in writer.Entities.All)
            if (gate is not null && keys[entity.Index].Length > 0)
                await gate.EnterAsync(entity.Index, keys[entity.Index]).WaitAsync(ct);
        await writer.WriteAsync(batch, keys, StraightCopy.NewKeys, ct);
        statistics.QuarantinedRows(writer.Quarantined);
        batch.Clear();
        CrashPoint.Hit("after-flush");
    }
}
