namespace Cdc.Core.Telemetry;

/// <summary>What a running pipeline has done since the process started. Written by its loops, read by whoever shows it.</summary>
public sealed class PipelineStatistics
{
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
    public void PutIntoLog(int events) => Interlocked.Add(ref _captured, events);

    public void TakenFromLog(int events) => Interlocked.Add(ref _taken, events);

    /// <summary>What a session that is gone left in its log will be sent again.</summary>
    public void LogEnded() => Interlocked.Exchange(ref _taken, Captured);

    public void Applied(long rows, long transactions)
    {
        Interlocked.Add(ref _rowsApplied, rows);
        Interlocked.Add(ref _transactionsApplied, transactions);
        Interlocked.Increment(ref _batches);
    }

    public void Duplicate() => Interlocked.Increment(ref _duplicates);

    public void QuarantinedRows(long rows) => Interlocked.Add(ref _quarantined, rows);

    public void ChunkRead(long rows) => Interlocked.Add(ref _chunkRows, rows);

    public void FenceHeld(TimeSpan held)
    {
        Interlocked.Add(ref _fenceTicks, held.Ticks);
        Interlocked.Increment(ref _fences);
    }
}
