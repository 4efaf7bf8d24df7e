using System.Collections.Concurrent;
using Cdc.Core.Failures;

namespace Cdc.Core.Telemetry;

/// <summary>An engine transaction that was committed.</summary>
/// <param name="Duration">From its first change to its commit.</param>
/// <param name="OldestCommit">When the first of its source transactions was committed, by the source's clock; null: it has none.</param>
public readonly record struct AppliedBatch(long Rows, long Transactions, TimeSpan Duration, DateTimeOffset? OldestCommit);

/// <summary>Whether a worker works, or pauses because a server failed. From the best to the worst.</summary>
public enum RetryState
{
    /// <summary>It works.</summary>
    Working,

    /// <summary>It tries again.</summary>
    Retrying,

    /// <summary>It failed, and waits before it tries again.</summary>
    Waiting,

    /// <summary>It waits for a person: what stopped it does not pass by itself. It looks again and again whether it is over.</summary>
    Stopped,
}

/// <summary>The retry state of one worker, from when it starts until it is disposed.</summary>
public sealed class WorkerRetry(PipelineStatistics statistics) : IDisposable
{
    private volatile WorkerStanding _standing = new(RetryState.Working, null, statistics.Now);

    public WorkerStanding Standing => _standing;

    public RetryState State => _standing.State;

    public void Works()
    {
        if (_standing is not { State: RetryState.Working, IsStandby: false })
            _standing = new WorkerStanding(RetryState.Working, null, statistics.Now);
    }

    /// <summary>It waits for another process, which is no failure.</summary>
    public void StandsBy()
    {
        if (!_standing.IsStandby)
            _standing = new WorkerStanding(RetryState.Working, null, statistics.Now) { IsStandby = true };
    }

    /// <summary>The pause after a failure is over: the next session begins. One that stopped stays so until a session works.</summary>
    public void TriesAgain()
    {
        if (_standing is { State: RetryState.Waiting } waiting)
            _standing = waiting with { State = RetryState.Retrying };
    }

    public void Waits(CdcException failure) => Fails(RetryState.Waiting, failure);

    public void Stops(CdcException failure) => Fails(RetryState.Stopped, failure);

    public void Dispose() => statistics.Remove(this);

    private void Fails(RetryState state, CdcException failure) =>
        _standing = new WorkerStanding(state, failure, State == RetryState.Working ? statistics.Now : _standing.Since);
}

/// <summary>How a worker stands.</summary>
/// <param name="Failure">Why it does not work; null while it does.</param>
/// <param name="Since">When it began to work, or ceased to, whatever it has failed with since.</param>
public sealed record WorkerStanding(RetryState State, CdcException? Failure, DateTimeOffset Since)
{
    /// <summary>Another process does its work: what that one fails at is not this one's to say.</summary>
    public bool IsStandby { get; init; }
}

/// <summary>What a running pipeline has done since the process started. Written by its loops, read by status and metrics.</summary>
public sealed class PipelineStatistics(TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private long _captured;
    private long _taken;
    private long _rowsApplied;
    private long _transactionsApplied;
    private long _duplicates;
    private long _quarantined;
    private long _batches;
    private long _chunkRows;
    private long _fences;
    private long _fenceTicks;
    private readonly long[] _failures = new long[Enum.GetValues<FailureKind>().Max(k => (int)k) + 1];
    private readonly ConcurrentDictionary<WorkerRetry, bool> _workers = new();

    /// <summary>Events of the stream that were put into the change log.</summary>
    public long Captured => Interlocked.Read(ref _captured);

    /// <summary>Of these, what waits to be taken out of it.</summary>
    public long Waiting => Math.Max(0, Captured - Interlocked.Read(ref _taken));

    /// <summary>Row changes of the stream that were applied.</summary>
    public long RowsApplied => Interlocked.Read(ref _rowsApplied);
    public long TransactionsApplied => Interlocked.Read(ref _transactionsApplied);

    /// <summary>Changes that were sent again and had been applied before.</summary>
    public long Duplicates => Interlocked.Read(ref _duplicates);
    public long Quarantined => Interlocked.Read(ref _quarantined);

    /// <summary>Engine transactions.</summary>
    public long Batches => Interlocked.Read(ref _batches);

    /// <summary>Rows read in snapshot chunks.</summary>
    public long ChunkRows => Interlocked.Read(ref _chunkRows);

    /// <summary>Fences at which changes were held.</summary>
    public long Fences => Interlocked.Read(ref _fences);

    /// <summary>How long they were held in all.</summary>
    public TimeSpan FencesHeld => TimeSpan.FromTicks(Interlocked.Read(ref _fenceTicks));

    /// <summary>Called by the loop that applies, after each commit with rows: be quick, and do not throw.</summary>
    public event Action<AppliedBatch>? BatchApplied;

    /// <summary>The worst of all workers: over Kafka each end, and each that applies, has one.</summary>
    public RetryState Retry => Worst?.State ?? RetryState.Working;

    /// <summary>Why that worker does not work; null while all do.</summary>
    public CdcException? Failure => Worst?.Failure;

    /// <summary>That worker; null: none has started.</summary>
    public WorkerStanding? Worst => _workers.Keys.Select(w => w.Standing).MaxBy(s => s.State);

    internal DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>A worker starts.</summary>
    public WorkerRetry AddWorker()
    {
        var worker = new WorkerRetry(this);
        _workers[worker] = true;
        return worker;
    }

    internal void Remove(WorkerRetry worker) => _workers.TryRemove(worker, out _);

    /// <summary>Sessions that ended with a failure of this kind.</summary>
    public long Failures(FailureKind kind) => Interlocked.Read(ref _failures[(int)kind]);

    public void PutIntoLog(int events) => Interlocked.Add(ref _captured, events);

    public void TakenFromLog(int events) => Interlocked.Add(ref _taken, events);

    /// <summary>What a session that is gone left in its log will be sent again.</summary>
    public void LogEnded() => Interlocked.Exchange(ref _taken, Captured);

    public void Applied(AppliedBatch batch)
    {
        Interlocked.Add(ref _rowsApplied, batch.Rows);
        Interlocked.Add(ref _transactionsApplied, batch.Transactions);
        Interlocked.Increment(ref _batches);
        if (batch.Rows > 0)
            BatchApplied?.Invoke(batch);
    }

    public void Failed(FailureKind kind) => Interlocked.Increment(ref _failures[(int)kind]);

    public void Duplicate() => Interlocked.Increment(ref _duplicates);

    public void QuarantinedRows(long rows) => Interlocked.Add(ref _quarantined, rows);

    public void ChunkRead(long rows) => Interlocked.Add(ref _chunkRows, rows);

    public void FenceHeld(TimeSpan held)
    {
        Interlocked.Add(ref _fenceTicks, held.Ticks);
        Interlocked.Increment(ref _fences);
    }
}
