using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// Two batches: while the engine writes one, the other is folded. Batches are written one after the other, in the order they were folded.
/// While one is being written nothing else may use the engine's connection: await <see cref="WrittenAsync"/> first.
/// </summary>
/// <param name="gate">Null: nothing is loaded beside the log.</param>
internal sealed class WriteBehind(BatchWriter writer, LoadGate? gate, PipelineStatistics statistics)
{
    /// <summary>Changes up to which a statement of arrays is cheaper than staging and its round trips.</summary>
    private const int AtOnce = 500;

    /// <summary>Bytes of these changes: as arrays they are in memory once more, and what they made grow is kept.</summary>
    private const long AtOnceBytes = 256 << 10;

    private FewRows? _refused;
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

    /// <summary>
    /// Writes what is folded, and <paramref name="progress"/> with it, in one round trip that is a transaction of its own, where it is little
    /// and nothing but rows to be put where they are newer. False: nothing was written.
    /// </summary>
    /// <param name="progress">Given what the rows announce; runs after them.</param>
    public async Task<bool> TryCommitAtOnceAsync(
        Func<IEnumerable<(string Channel, string Notice)>, IEnumerable<NpgsqlBatchCommand>> progress,
        CancellationToken ct
    )
    {
        if (Folding.Count is 0 or > AtOnce || Folding.Bytes > AtOnceBytes || Folding.HasDeletes || writer.Transaction.IsOpen)
            return false;
        var keys = Folding.SortedKeys();
        // A load that is waited for may leave entries of these keys.
        await EnterAsync(keys, ct);
        await using var together = new NpgsqlBatch(writer.Connection);
        if (!writer.TryAddTo(together, Folding, keys))
            return false;
        var rows = together.BatchCommands.Count;
        foreach (var command in progress(writer.Notices))
            together.BatchCommands.Add(command);
        try
        {
            await together.PrepareAsync(ct);
            await together.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException e)
            when (EngineErrors.IsOfRow(e) && e.BatchCommand is { } failed && together.BatchCommands.IndexOf(failed) < rows)
        {
            // The transaction is undone. Which row it was is found out by writing them one after the other; or the engine owns rows now, and
            // statements that look at owners write them.
            _refused = writer.FewOf(failed);
            return false;
        }
        writer.Written(keys);
        Folding.Clear();
        return true;
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
        await EnterAsync(keys, ct);
        await writer.WriteAsync(batch, keys, StraightCopy.NewKeys, ct);
        statistics.QuarantinedRows(writer.Quarantined);
        // It was no row's fault.
        if (_refused is { } refused && writer.Quarantined == 0)
            refused.IsRefused = true;
        _refused = null;
        batch.Clear();
        CrashPoint.Hit("after-flush");
    }

    private async ValueTask EnterAsync(long[][] keys, CancellationToken ct)
    {
        foreach (var entity in writer.Entities.All)
            if (gate is not null && keys[entity.Index].Length > 0)
                await gate.EnterAsync(entity.Index, keys[entity.Index]).WaitAsync(ct);
    }
}
