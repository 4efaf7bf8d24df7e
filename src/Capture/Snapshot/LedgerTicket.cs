using Cdc.Capture.Source;
using Cdc.Core.Snapshots;

namespace Cdc.Capture.Snapshot;

/// <summary>What is read in one snapshot of the source, from its announcement until its marker has come back.</summary>
internal abstract class LedgerTicket(long number)
{
    public long Number { get; } = number;
    public abstract int Entity { get; }

    /// <summary>Null until it was taken.</summary>
    public SourceSnapshot? Snapshot { get; set; }

    public abstract bool Covers(long key);

    /// <param name="all">Every key was (a truncate).</param>
    public abstract void SetInFlight(IReadOnlySet<long> keys, bool all);
}

/// <summary>What the stream found at a chunk's marker.</summary>
internal enum MarkerOutcome
{
    /// <summary>The rows are loaded beside the stream by the worker that read them.</summary>
    Beside,

    /// <summary>The rows were appended to the stream.</summary>
    InStream,

    /// <summary>A transaction too large to remember was in flight: the job is read again.</summary>
    ReadAgain,
}

internal sealed class ChunkTicket(long number, Chunk chunk) : LedgerTicket(number)
{
    private readonly TaskCompletionSource<MarkerOutcome> _marked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Chunk Chunk { get; private set; } = chunk;
    public override int Entity => Chunk.Job.Entity;
    public Task<MarkerOutcome> Marked => _marked.Task;

    /// <summary>Set before the marker is written.</summary>
    public ChunkRows? Rows { get; set; }

    public override bool Covers(long key) => Chunk.Job.Covers(key);

    public override void SetInFlight(IReadOnlySet<long> keys, bool all) => (Chunk.Dropped, Chunk.DroppedAll) = (keys, all);

    /// <summary>The rows reached their bound before the job's end: the rest of it is another job.</summary>
    public void Narrow(ChunkJob job) => Chunk = new Chunk(job);

    public void SetMarked(MarkerOutcome outcome) => _marked.TrySetResult(outcome);

    /// <summary>A row was not dropped for a key of the same number that is another one.</summary>
    public void SetMistaken(long key)
    {
        Mistaken = key;
        SetMarked(MarkerOutcome.ReadAgain);
    }

    /// <summary>Null: none.</summary>
    public long? Mistaken { get; private set; }
}
