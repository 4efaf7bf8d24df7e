using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Engine;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// Writes a folded batch inside an engine transaction. When the engine refuses a row, the batch is written again in halves until the row
/// stands alone, and only that row goes to quarantine.
/// </summary>
internal sealed class BatchWriter(EntitySet entities, IReadOnlyList<EntityWriter> writers, EngineTransaction transaction)
{
    /// <summary>Rows that went to quarantine in the last <see cref="WriteAsync"/>.</summary>
    public int Quarantined { get; private set; }

    /// <summary>What the open transaction has to announce when it commits.</summary>
    public IEnumerable<(string Channel, string Notice)> Notices => writers.Select(w => w.Notice).OfType<(string, string)>();

    /// <param name="sortedKeys">Per entity, ascending.</param>
    public async Task WriteAsync(BatchFolder batch, long[][] sortedKeys, StraightCopy straight, CancellationToken ct)
    {
        Quarantined = 0;
        await BeginAsync(ct).ConfigureAwait(false);
        // The first flush of a transaction can be undone by undoing the transaction; a savepoint costs two round trips.
        var savepoint = transaction.HasWork;
        if (savepoint)
            await transaction.SavepointAsync("flush", ct).ConfigureAwait(false);
        try
        {
            await WriteEntitiesAsync(batch, sortedKeys, straight, ct).ConfigureAwait(false);
        }
        catch (PostgresException e) when (EngineErrors.IsOfRow(e))
        {
            if (savepoint)
                await transaction.RollbackToAsync("flush", ct).ConfigureAwait(false);
            else
                await transaction.RollbackAsync(ct).ConfigureAwait(false);
            await BeginAsync(ct).ConfigureAwait(false);
            await WriteInHalvesAsync(batch, sortedKeys, ct).ConfigureAwait(false);
        }
        if (savepoint)
            await transaction.ReleaseAsync("flush", ct).ConfigureAwait(false);
        transaction.HasWork = true;
    }

    public async Task TruncateAsync(int entity, ChangePosition position, CancellationToken ct)
    {
        await BeginAsync(ct).ConfigureAwait(false);
        await writers[entity].TruncateAsync(position, ct).ConfigureAwait(false);
        transaction.HasWork = true;
    }

    public async Task BeginAsync(CancellationToken ct)
    {
        if (transaction.IsOpen)
            return;
        await transaction.BeginAsync(ct).ConfigureAwait(false);
        foreach (var writer in writers)
            writer.TransactionBegins();
    }

    private async Task WriteEntitiesAsync(BatchFolder batch, long[][] sortedKeys, StraightCopy straight, CancellationToken ct)
    {
        foreach (var entity in entities.All)
        {
            var keys = sortedKeys[entity.Index];
            if (keys.Length == 0)
                continue;
            await writers[entity.Index].WriteAsync(batch.Of(entity.Index), keys, straight, ct).ConfigureAwait(false);
            Quarantined += writers[entity.Index].Quarantined;
        }
    }

    private async Task WriteInHalvesAsync(BatchFolder batch, long[][] sortedKeys, CancellationToken ct)
    {
        Quarantined = 0;
        foreach (var entity in entities.All)
            if (sortedKeys[entity.Index].Length > 0)
                await WriteHalfAsync(writers[entity.Index], batch.Of(entity.Index), sortedKeys[entity.Index], ct).ConfigureAwait(false);
    }

    private async Task WriteHalfAsync(
        EntityWriter writer,
        Dictionary<long, FoldedRow> rows,
        ReadOnlyMemory<long> keys,
        CancellationToken ct
    )
    {
        await transaction.SavepointAsync("half", ct).ConfigureAwait(false);
        try
        {
            await writer.WriteAsync(rows, keys, StraightCopy.None, ct).ConfigureAwait(false);
            await transaction.ReleaseAsync("half", ct).ConfigureAwait(false);
            Quarantined += writer.Quarantined;
        }
        catch (PostgresException e) when (EngineErrors.IsOfRow(e))
        {
            await transaction.RollbackToAsync("half", ct).ConfigureAwait(false);
            await transaction.ReleaseAsync("half", ct).ConfigureAwait(false);
            if (keys.Length == 1)
            {
                await writer.QuarantineAsync(rows[keys.Span[0]], e, ct).ConfigureAwait(false);
                Quarantined++;
                return;
            }
            await WriteHalfAsync(writer, rows, keys[..(keys.Length / 2)], ct).ConfigureAwait(false);
            await WriteHalfAsync(writer, rows, keys[(keys.Length / 2)..], ct).ConfigureAwait(false);
        }
    }
}
