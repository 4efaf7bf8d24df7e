using System.Diagnostics;
using Cdc.Apply.Fences;
using Cdc.Apply.Rows;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Engine.Snapshots;
using Cdc.Engine.Tables;
using Cdc.Log;
using Npgsql;

namespace Cdc.Apply;

/// <summary>
/// Reads the change log and writes the engine. Its duties, in order, for every batch of events: skip what was applied before, fold rows,
/// write what is folded when it grows large, and commit (rows, quarantine, checkpoint together) at a boundary between source transactions.
/// Throws on any failure: the session ends, its transaction is undone, and the next one starts from the checkpoint.
/// </summary>
internal sealed class ApplyLoop(
    EngineOptions options,
    WriteBehind batches,
    CheckpointTable checkpoint,
    TableRegistry tables,
    FenceHold fences,
    PipelineStatistics statistics
)
{
    private static readonly TimeSpan LongestCheckpointInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Between two checkpoints of an idle source: a feedback finds what was streamed since the one before it.</summary>
    private readonly TimeSpan _checkpointInterval = TimeSpan.FromTicks(
        Math.Min(options.FeedbackInterval.Ticks / 2, LongestCheckpointInterval.Ticks)
    );
    private readonly NpgsqlConnection _connection = batches.Writer.Connection;
    private readonly EngineTransaction _transaction = batches.Writer.Transaction;
    private readonly List<Chunk> _passed = [];
    private ChangePosition _last = checkpoint.Committed.Last;
    private SourceTransaction? _lastTransaction = checkpoint.Committed.LastTransaction;
    private Lsn _through = checkpoint.Committed.Through;
    private DateTime? _asOf = checkpoint.Committed.AsOf;
    private bool _inTransaction;
    private long _rows;
    private long _transactions;
    private long _committedAt = Stopwatch.GetTimestamp();
    private long _batchBegan;
    private SourceTransaction? _oldest;

    /// <summary>Ends when the log is closed and applied up to its last boundary.</summary>
    public async Task RunAsync(IChangeLogReader log, CancellationToken ct)
    {
        try
        {
            await ReadAsync(log, ct);
        }
        finally
        {
            // Its connection is about to go to the next owner.
            await batches.WrittenAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(IChangeLogReader log, CancellationToken ct)
    {
        while (await log.WaitToReadAsync(ct))
        {
            while (log.TryRead(out var events))
            {
                if (_batchBegan == 0)
                    _batchBegan = Stopwatch.GetTimestamp();
                foreach (var change in events.Events)
                    if (!TryFold(change))
                        await ApplyAsync(change, ct);
                if (!_inTransaction && IsFull)
                    await CommitAsync(ct);
            }
            if (_inTransaction)
                continue;
            if (IsDue())
                await CommitAsync(ct);
            _batchBegan = 0;
        }
        if (!_inTransaction)
        {
            await CommitAsync(ct);
            return;
        }
        await batches.WrittenAsync();
        await _transaction.RollbackAsync(ct);
    }

    /// <summary>The common case without a state machine: one more row of a batch that has room.</summary>
    private bool TryFold(ChangeEvent change)
    {
        if (change is CommitChange commit)
            return TryEnd(commit);
        if (change is not RowChange row)
            return false;
        _inTransaction |= row.Transaction is not null;
        if (row.Position <= _last)
        {
            statistics.Duplicate();
            return true;
        }
        if (tables.IsStopped(row.Schema.Entity))
            return true;
        if (!Batch.Accepts(row) || HasNoRoom)
            return false;
        Batch.Add(row);
        return true;
    }

    private bool TryEnd(CommitChange commit)
    {
        _inTransaction = false;
        if (commit.Last > _last)
        {
            (_last, _lastTransaction) = (commit.Last, commit.Transaction);
            _oldest ??= commit.Transaction;
            _transactions++;
        }
        _through = Lsn.Max(_through, commit.EndLsn);
        return !IsFull;
    }

    private async Task ApplyAsync(ChangeEvent change, CancellationToken ct)
    {
        switch (change)
        {
            case CommitChange:
                await CommitAsync(ct);
                break;
            case RowChange row:
                await BeginFlushAsync(ct);
                Batch.Add(row);
                break;
            case TruncateChange truncate:
                _inTransaction = true;
                if (truncate.Position > _last)
                    await TruncateAsync(truncate, ct);
                break;
            case TableStateChange state:
                await FlushAsync(ct);
                await batches.Writer.BeginAsync(ct);
                await tables.ChangeAsync(_connection, state, ct);
                CrashPoint.Hit("after-table-state");
                _transaction.HasWork = true;
                break;
            case ThroughChange through:
                // Heartbeats that are sent again after a restart lie below what is applied, and carry an earlier time.
                if (through.Through >= _through && through.AsOfMicros is { } asOf)
                    _asOf = PostgresTime.FromMicros(asOf);
                _through = Lsn.Max(_through, through.Through);
                break;
            case ChunkEndChange end:
                _passed.Add(end.Chunk);
                break;
            case FenceChange fence:
                await CommitAsync(ct);
                await fences.HoldAsync(_connection, fence, ct);
                break;
            default:
                throw new UnreachableException($"A change log event of type {change.GetType().Name} is not known here.");
        }
    }

    private BatchFolder Batch => batches.Folding;

    /// <summary>To be committed at the next boundary between transactions.</summary>
    private bool IsFull => Batch.Count >= options.BatchRows || Batch.Bytes >= options.BatchBytes;

    /// <summary>
    /// To be written before the transaction's end is seen. Twice the rows, or the last small transaction of most batches would be cut in
    /// two.
    /// </summary>
    private bool HasNoRoom => Batch.Count >= 2 * options.BatchRows || Batch.Bytes >= options.BatchBytes;

    /// <summary>Something to show at once, or a position that was not recorded for a while.</summary>
    private bool IsDue() =>
        Batch.Count > 0
        || _transaction.HasWork
        || _passed.Count > 0
        || (_through > checkpoint.Committed.Through && Stopwatch.GetElapsedTime(_committedAt) >= _checkpointInterval);

    private async Task FlushAsync(CancellationToken ct)
    {
        await BeginFlushAsync(ct);
        await batches.WrittenAsync();
    }

    private Task BeginFlushAsync(CancellationToken ct)
    {
        _rows += Batch.Count;
        return batches.BeginWriteAsync(ct);
    }

    private async Task TruncateAsync(TruncateChange truncate, CancellationToken ct)
    {
        await FlushAsync(ct);
        foreach (var entity in truncate.Entities)
        {
            if (tables.IsStopped(entity))
                continue;
            await batches.TruncateAsync(entity, truncate.Position, ct);
            CrashPoint.Hit("after-truncate");
        }
    }

    /// <summary>Rows of the batch that was not written: the table is read again before it goes on.</summary>
    private async Task StopCollidedAsync(CancellationToken ct)
    {
        foreach (var collision in batches.Writer.TakeCollisions())
            await ApplyAsync(
                new TableStateChange
                {
                    Entity = collision.Entity,
                    Position = _last,
                    StopReason = collision.Message,
                },
                ct
            );
    }

    private async Task CommitAsync(CancellationToken ct)
    {
        await batches.WrittenAsync();
        var next = new Checkpoint(_last, _lastTransaction, _through, _asOf);
        if (await TryCommitAtOnceAsync(next, ct))
        {
            Committed(next);
            return;
        }
        await FlushAsync(ct);
        await StopCollidedAsync(ct);
        CrashPoint.Hit("after-rows-before-checkpoint");
        if (next != checkpoint.Committed || _transaction.HasWork)
        {
            await batches.Writer.BeginAsync(ct);
            await checkpoint.MoveAsync(_connection, next, batches.Writer.Notices, ct);
            CrashPoint.Hit("after-checkpoint-before-commit");
            await _transaction.CommitAsync(ct);
            CrashPoint.Hit("after-commit");
        }
        Committed(next);
    }

    /// <summary>What most commits of a source that is followed closely are: a few rows and the checkpoint.</summary>
    private async Task<bool> TryCommitAtOnceAsync(Checkpoint next, CancellationToken ct)
    {
        var rows = Batch.Count;
        try
        {
            if (!await batches.TryCommitAtOnceAsync(notices => checkpoint.MoveOrFail(next, notices), ct))
                return false;
        }
        catch (PostgresException e) when (checkpoint.FencedBy(e) is { } fenced)
        {
            throw fenced;
        }
        CrashPoint.Hit("after-commit-at-once");
        _rows += rows;
        return true;
    }

    private void Committed(Checkpoint next)
    {
        batches.TransactionEnded();
        checkpoint.SetCommitted(next);
        _committedAt = Stopwatch.GetTimestamp();
        statistics.Applied(
            new AppliedBatch(_rows, _transactions, Stopwatch.GetElapsedTime(_batchBegan, _committedAt), _oldest?.CommitTime)
        );
        (_rows, _transactions, _batchBegan, _oldest) = (0, 0, _committedAt, null);
        foreach (var chunk in _passed)
            chunk.SetPassed();
        _passed.Clear();
    }
}
