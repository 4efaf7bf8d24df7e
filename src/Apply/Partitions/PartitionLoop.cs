using System.Diagnostics;
using Cdc.Apply.Rows;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Engine.Fences;
using Cdc.Engine.Progress;
using Cdc.Engine.Snapshots;
using Cdc.Engine.Tables;
using Cdc.Log.Kafka;
using Npgsql;

namespace Cdc.Apply.Partitions;

/// <summary>
/// Applies the partitions of the Kafka log that this worker owns, together in engine transactions of their rows and checkpoints. Its
/// duties, in order, for every batch of records: read the state of the engine (generation, floors, fences), hold what lies behind a fence,
/// take each record once, fold, write, and commit. Any record is a boundary. Throws on any failure: the worker begins anew from the engine.
/// </summary>
internal sealed class PartitionLoop(
    EngineOptions options,
    WriteBehind batches,
    PartitionTable table,
    EngineKnowledge knowledge,
    KafkaLogReader log,
    PipelineStatistics statistics
)
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan HeldTick = TimeSpan.FromMilliseconds(10);

    private readonly Dictionary<int, PartitionCheckpoint> _owned = [];
    private readonly NpgsqlConnection _connection = batches.Writer.Connection;
    private readonly EngineTransaction _transaction = batches.Writer.Transaction;
    private readonly HashSet<PartitionCheckpoint> _moved = [];
    private readonly PassedOverKeys _passedOver = new(batches.Writer.Entities);
    private List<LogRecord> _pending = [];
    private long _pendingBytes;
    private bool _hasChanges;
    private long _rows;
    private bool _isHeld;
    private volatile bool _hasCommitted;
    private long _tickedAt;
    private long _pendingSince;
    private long? _oldestCommitMicros;

    /// <summary>Something was applied by this loop. Read while it runs, from another thread.</summary>
    public bool HasCommitted => _hasCommitted;

    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            await ReadAsync(ct);
        }
        finally
        {
            // Its connection is about to go to the next owner.
            await batches.WrittenAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(CancellationToken ct)
    {
        while (true)
        {
            if (_isHeld || !log.HasSome)
                await WaitAsync(ct);
            while (!IsFull && log.TryRead(out var part))
                await ReceiveAsync(part, ct);
            var isTick = Stopwatch.GetElapsedTime(_tickedAt) >= (_isHeld ? HeldTick : Tick);
            // Offsets without a change, such as the end of every transaction of the log, are not worth a commit each.
            if (_pending.Count > 0 && (_hasChanges || IsFull || isTick))
                await CommitAsync(ct);
            if (isTick)
                await TickAsync(ct);
        }
    }

    private bool IsFull => _pending.Count >= options.BatchRows || _pendingBytes >= options.BatchBytes;

    private Task WaitAsync(CancellationToken ct) => _isHeld ? Task.Delay(HeldTick, ct) : log.WaitAsync(Tick, ct);

    private async Task ReceiveAsync(LogPart part, CancellationToken ct)
    {
        switch (part)
        {
            case LogRecords records:
                if (_pending.Count == 0)
                    _pendingSince = Stopwatch.GetTimestamp();
                foreach (var record in records.Records)
                {
                    if (!_owned.ContainsKey(record.Partition.Index))
                        continue;
                    _pending.Add(record);
                    _hasChanges |= record.Change is not null;
                }
                _pendingBytes += records.Bytes;
                break;
            case PartitionsAssigned assigned:
                // After the take-over: the previous owner can no longer commit, so this is all there is to know of their keys.
                await knowledge.RefreshAsync(_connection, ct);
                foreach (var checkpoint in assigned.Taken.Cast<PartitionCheckpoint>())
                    _owned[checkpoint.Partition.Index] = checkpoint;
                break;
            case PartitionsRevoked revoked:
                if (!revoked.AreLost && !_isHeld)
                    await CommitAllAsync(ct);
                foreach (var partition in revoked.Partitions)
                    _owned.Remove(partition.Index);
                Keep(_pending.Where(r => _owned.ContainsKey(r.Partition.Index)));
                revoked.Done.TrySetResult();
                break;
            default:
                throw new UnreachableException($"{part.GetType().Name} is not known here.");
        }
    }

    private async Task CommitAllAsync(CancellationToken ct)
    {
        while (_pending.Count > 0 && !_isHeld)
            await CommitAsync(ct);
    }

    private async Task CommitAsync(CancellationToken ct)
    {
        var truncates = _pending[0].Change is TruncateChange;
        await batches.Writer.BeginAsync(ct);
        var engine = await TransactionConditions.ReadAsync(_connection, batches.Writer.Entities, truncates, ct);
        _isHeld = engine.Fences.Count > 0;
        await ApplyAsync(engine, truncates, ct);
        foreach (var collision in batches.Writer.TakeCollisions())
            await TableRegistry.StopAsync(_connection, batches.Writer.Entities[collision.Entity], collision.Message, ct);
        CrashPoint.Hit("after-rows-before-checkpoint");
        if (_moved.Count == 0)
        {
            await _transaction.RollbackAsync(ct);
            return;
        }
        await _passedOver.OweAsync(_connection, ct);
        await table.MoveAsync(
            _connection,
            [.. _moved.OrderBy(m => m.Partition.Name, StringComparer.Ordinal)],
            engine.Generation,
            batches.Writer.Notices,
            ct
        );
        CrashPoint.Hit("after-checkpoint-before-commit");
        await _transaction.CommitAsync(ct);
        _hasCommitted = true;
        CrashPoint.Hit("after-commit");
        foreach (var checkpoint in _moved)
            checkpoint.SetCommitted();
        log.Applied(_moved.Select(m => (m.Partition, m.Next)));
        _moved.Clear();
        statistics.Applied(
            new AppliedBatch(
                _rows,
                0,
                Stopwatch.GetElapsedTime(_pendingSince),
                _oldestCommitMicros is { } micros ? PostgresTime.FromMicros(micros) : null
            )
        );
        (_rows, _oldestCommitMicros) = (0, null);
    }

    /// <summary>Takes what may be taken now; what a fence holds, and what comes after a truncate, stays pending.</summary>
    private async Task ApplyAsync(TransactionConditions engine, bool truncates, CancellationToken ct)
    {
        var kept = new List<LogRecord>();
        for (var i = 0; i < _pending.Count; i++)
        {
            var record = _pending[i];
            var checkpoint = _owned[record.Partition.Index];
            if (record.Offset >= engine.LimitOf(record.Partition.Name))
                kept.Add(record);
            else if (record.Change is TruncateChange truncate)
            {
                if (truncates && _moved.Count == 0)
                    await TruncateAsync(checkpoint, record, truncate, engine, ct);
                else
                {
                    kept.AddRange(_pending.Skip(i));
                    break;
                }
            }
            else
                await FoldAsync(checkpoint, record, engine, ct);
        }
        await BeginWriteAsync(ct);
        Keep(kept);
        await batches.WrittenAsync();
    }

    private async ValueTask FoldAsync(PartitionCheckpoint checkpoint, LogRecord record, TransactionConditions engine, CancellationToken ct)
    {
        _moved.Add(checkpoint);
        if (record.Change is not RowChange row || !Takes(checkpoint, record, row.Position, row.CommitMicros, engine))
        {
            if (record.Change is RowChange old && IsPassedOver(checkpoint, record, old.Position, engine))
                _passedOver.Add(old, record.More);
            checkpoint.Pass(record.Offset);
            return;
        }
        // Rows of a chunk are as old as its snapshot, which says nothing about how long a commit takes to be seen.
        if (row.Position.Ordinal >= 0)
            _oldestCommitMicros = Math.Min(_oldestCommitMicros ?? long.MaxValue, row.CommitMicros);
        await FoldAsync(row, engine, ct);
        foreach (var other in record.More ?? [])
            await FoldAsync((RowChange)other, engine, ct);
    }

    private async ValueTask FoldAsync(RowChange row, TransactionConditions engine, CancellationToken ct)
    {
        // What a reading did not see has left the engine, or is held: only its sweep decides that.
        if (row.IsOwedEnd)
            return;
        if (engine.Floors.TryGetValue(row.Schema.Entity, out var floor) && row.Position < floor)
            return;
        if (!batches.Folding.Accepts(row))
            await BeginWriteAsync(ct);
        batches.Folding.Add(row);
    }

    private async Task TruncateAsync(
        PartitionCheckpoint checkpoint,
        LogRecord record,
        TruncateChange truncate,
        TransactionConditions engine,
        CancellationToken ct
    )
    {
        _moved.Add(checkpoint);
        if (!Takes(checkpoint, record, truncate.Position, truncate.Transaction.CommitMicros, engine))
        {
            checkpoint.Pass(record.Offset);
            return;
        }
        // Every partition of the topic brings it; the first one truncates, and leaves the floor.
        foreach (var entity in truncate.Entities)
        {
            if (engine.Floors.TryGetValue(entity, out var floor) && floor >= truncate.Position)
                continue;
            await batches.TruncateAsync(entity, truncate.Position, ct);
            engine.Floors[entity] = truncate.Position;
        }
        CrashPoint.Hit("after-truncate");
    }

    private bool Takes(
        PartitionCheckpoint checkpoint,
        LogRecord record,
        ChangePosition position,
        long commitMicros,
        TransactionConditions engine
    )
    {
        if (IsPassedOver(checkpoint, record, position, engine))
            return false;
        if (position.Generation > engine.Generation)
            throw new DeclaredGapException(
                GapKinds.EngineBehind,
                $"Partition {record.Partition} has records of generation {position.Generation}, the engine is in {engine.Generation}: "
                    + "it was restored from a backup.",
                "Accept it and read everything again with 'cdc slot reset' (ops/runbooks/kafka.md)."
            );
        if (checkpoint.Take(record.Offset, record.Stamp, position, commitMicros, engine.Generation))
            return true;
        statistics.Duplicate();
        return false;
    }

    /// <summary>Of a generation that has ended. A generation's records stand behind the end of the partition when it began.</summary>
    private static bool IsPassedOver(
        PartitionCheckpoint checkpoint,
        LogRecord record,
        ChangePosition position,
        TransactionConditions engine
    ) => record.Offset < checkpoint.PassedUntil || position.Generation < engine.Generation;

    private Task BeginWriteAsync(CancellationToken ct)
    {
        _rows += batches.Folding.Count;
        return batches.BeginWriteAsync(ct);
    }

    private void Keep(IEnumerable<LogRecord> records)
    {
        _pending = [.. records];
        _pendingBytes = _pending.Sum(r => (long)(r.Change?.Bytes ?? 0));
        _hasChanges = _pending.Exists(r => r.Change is not null);
    }

    /// <summary>What moves without records: partitions that have passed a vector, and fences.</summary>
    private async Task TickAsync(CancellationToken ct)
    {
        if (_owned.Count > 0)
            await table.ReachAsync(_connection, _owned.Values, ct);
        _isHeld = await PartitionFences.MoveAsync(_connection, options.FenceHoldTimeout, ct);
        _tickedAt = Stopwatch.GetTimestamp();
    }
}
