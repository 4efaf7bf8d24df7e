using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Engine;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// Writes a folded batch inside an engine transaction. When the engine refuses a row, the batch is written again in halves until the row
/// stands alone, and only that row goes to quarantine.
/// </summary>
internal sealed class BatchWriter(EntitySet entities, IReadOnlyList<EntityWriter> writers, NpgsqlConnection connection)
{
    private readonly EngineTransaction _transaction = new(connection);

    /// <summary>As the last transaction of <see cref="BeginAsync"/> found it.</summary>
    private bool _engineOwns;

    /// <summary>
    /// Entities of which nothing was written, because two of their keys have one number; <see cref="TakeCollisions"/> forgets them.
    /// </summary>
    private readonly Dictionary<int, HashedKeyException> _collisions = [];

    /// <summary>Nothing else may use it while a batch is being written.</summary>
    public NpgsqlConnection Connection => connection;

    public EntitySet Entities => entities;

    /// <summary>The engine transaction of the rows. Begun by <see cref="BeginAsync"/>, after which the writers begin theirs.</summary>
    public EngineTransaction Transaction => _transaction;

    public EntityWriter Of(int entity) => writers[entity];

    /// <summary>Rows that went to quarantine in the last <see cref="WriteAsync"/>.</summary>
    public int Quarantined { get; private set; }

    /// <summary>What the open transaction has to announce when it commits.</summary>
    public IEnumerable<(string Channel, string Notice)> Notices => writers.Select(w => w.Notice).OfType<(string, string)>();

    /// <summary>Of what was written since it was asked last. These tables must stop.</summary>
    public IReadOnlyList<HashedKeyException> TakeCollisions()
    {
        if (_collisions.Count == 0)
            return [];
        HashedKeyException[] collisions = [.. _collisions.Values];
        _collisions.Clear();
        return collisions;
    }

    /// <param name="sortedKeys">Per entity, ascending.</param>
    public async Task WriteAsync(BatchFolder batch, long[][] sortedKeys, StraightCopy straight, CancellationToken ct)
    {
        Quarantined = 0;
        await BeginAsync(ct);
        // The first flush of a transaction can be undone by undoing the transaction; a savepoint costs two round trips.
        var savepoint = _transaction.HasWork;
        if (savepoint)
            await _transaction.SavepointAsync("flush", ct);
        try
        {
            await WriteEntitiesAsync(batch, sortedKeys, straight, ct);
        }
        catch (PostgresException e) when (EngineErrors.IsOfRow(e))
        {
            if (savepoint)
                await _transaction.RollbackToAsync("flush", ct);
            else
                await _transaction.RollbackAsync(ct);
            await BeginAsync(ct);
            await WriteInHalvesAsync(batch, sortedKeys, ct);
        }
        if (savepoint)
            await _transaction.ReleaseAsync("flush", ct);
        _transaction.HasWork = true;
    }

    /// <summary>
    /// Puts the statements that write a few rows into <paramref name="together"/>, which is a transaction of its own. False: the batch has
    /// to go the way of <see cref="WriteAsync"/>. The same is true where the statements fail because the engine owns rows by now.
    /// </summary>
    /// <param name="batch">Without deletes.</param>
    /// <param name="sortedKeys">Per entity, ascending.</param>
    public bool TryAddTo(NpgsqlBatch together, BatchFolder batch, long[][] sortedKeys)
    {
        if (_engineOwns)
            return false;
        // Before any row of the others is gathered in vain.
        foreach (var writer in writers)
            if (!writer.Few.MayTake(sortedKeys[writer.Entity]))
                return false;
        foreach (var command in OwnedTable.EnterOrFail(entities))
            together.BatchCommands.Add(command);
        foreach (var writer in writers)
            writer.TransactionBegins(engineOwns: false);
        foreach (var entity in entities.All)
        {
            var keys = sortedKeys[entity.Index];
            if (keys.Length == 0)
                continue;
            var few = writers[entity.Index].Few;
            if (!few.TryGather(batch.Of(entity.Index), keys))
                return false;
            together.BatchCommands.Add(few.Command);
        }
        return true;
    }

    /// <summary>Whose statement of <see cref="TryAddTo"/> it is; null: nobody's.</summary>
    public FewRows? FewOf(NpgsqlBatchCommand? command) => writers.Select(w => w.Few).FirstOrDefault(few => few.Command == command);

    /// <summary>The rows of <see cref="TryAddTo"/> are committed.</summary>
    public void Written(long[][] sortedKeys)
    {
        foreach (var entity in entities.All)
            writers[entity.Index].Written(sortedKeys[entity.Index]);
    }

    public async Task TruncateAsync(int entity, ChangePosition position, CancellationToken ct)
    {
        await BeginAsync(ct);
        await writers[entity].TruncateAsync(position, ct);
        _transaction.HasWork = true;
    }

    public async Task BeginAsync(CancellationToken ct)
    {
        if (_transaction.IsOpen)
            return;
        await _transaction.BeginAsync(ct);
        _engineOwns = await OwnedTable.EnterAsync(connection, entities, ct);
        foreach (var writer in writers)
            writer.TransactionBegins(_engineOwns);
    }

    private async Task WriteEntitiesAsync(BatchFolder batch, long[][] sortedKeys, StraightCopy straight, CancellationToken ct)
    {
        foreach (var entity in entities.All)
        {
            var keys = sortedKeys[entity.Index];
            if (keys.Length == 0 || await CollideAsync(batch, entity, keys, ct))
                continue;
            await writers[entity.Index].WriteAsync(batch.Of(entity.Index), keys, straight, ct);
            Quarantined += writers[entity.Index].Quarantined;
        }
    }

    private async Task<bool> CollideAsync(BatchFolder batch, EntityDeclaration entity, long[] keys, CancellationToken ct)
    {
        if (entity.HashedKey is null)
            return false;
        var number = batch.CollisionOf(entity.Index) ?? await writers[entity.Index].MistakenKeyAsync(batch.Of(entity.Index), keys, ct);
        if (number is not { } collided)
            return false;
        _collisions[entity.Index] = HashedKeyException.Collision(entity, collided);
        return true;
    }

    private async Task WriteInHalvesAsync(BatchFolder batch, long[][] sortedKeys, CancellationToken ct)
    {
        Quarantined = 0;
        foreach (var entity in entities.All)
            if (sortedKeys[entity.Index].Length > 0 && !await CollideAsync(batch, entity, sortedKeys[entity.Index], ct))
                await WriteHalfAsync(writers[entity.Index], batch.Of(entity.Index), sortedKeys[entity.Index], ct);
    }

    private async Task WriteHalfAsync(
        EntityWriter writer,
        Dictionary<long, FoldedRow> rows,
        ReadOnlyMemory<long> keys,
        CancellationToken ct
    )
    {
        await _transaction.SavepointAsync("half", ct);
        try
        {
            await writer.WriteAsync(rows, keys, StraightCopy.None, ct);
            await _transaction.ReleaseAsync("half", ct);
            Quarantined += writer.Quarantined;
        }
        catch (PostgresException e) when (EngineErrors.IsOfRow(e))
        {
            await _transaction.RollbackToAsync("half", ct);
            await _transaction.ReleaseAsync("half", ct);
            if (keys.Length == 1)
            {
                await writer.QuarantineAsync(rows[keys.Span[0]], e, ct);
                Quarantined++;
                return;
            }
            await WriteHalfAsync(writer, rows, keys[..(keys.Length / 2)], ct);
            await WriteHalfAsync(writer, rows, keys[(keys.Length / 2)..], ct);
        }
    }
}
