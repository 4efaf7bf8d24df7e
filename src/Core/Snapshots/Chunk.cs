using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;

namespace Cdc.Core.Snapshots;

public enum ChunkKind
{
    /// <summary>Part of an initial load, or of the load after a gap.</summary>
    Load,

    /// <summary>A range read again on request, or because its table was rewritten.</summary>
    Snapshot,

    /// <summary>Keys of which a column is not known.</summary>
    Reread,

    /// <summary>Keys in quarantine that are to be tried again.</summary>
    Retry,

    /// <summary>
    /// Over Kafka: keys that were deleted in the engine since a reading did not see them. Those that are not there now either end in the topics.
    /// </summary>
    Owed,
}

/// <summary>What is to be read: a key range of one entity, or exactly some keys of it.</summary>
/// <param name="Id">In the engine; 0 for those that are kept as entries of their own (re-reads, retries, owed deletes).</param>
public sealed record ChunkJob(long Id, int Generation, int Entity, ChunkKind Kind, KeyRange Range, IReadOnlySet<long>? Keys)
{
    /// <summary>Of owed keys that are known by a hash, what they are: it is in no row any more. Else null.</summary>
    public IReadOnlyDictionary<long, byte[]>? SpelledKeys { get; init; }

    public bool Covers(long key) => Keys is null ? Range.Contains(key) : Keys.Contains(key);
}

/// <summary>
/// A job that was read in one snapshot of the source. Its rows take their place in the order of changes at the marker that was written
/// after the snapshot was taken; keys of transactions that had been streamed by then but were not visible in the snapshot are dropped.
/// </summary>
public sealed class Chunk(ChunkJob job)
{
    private readonly TaskCompletionSource _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ChunkJob Job { get; } = job;

    /// <summary>Position of the first row; everything in the engine below it that the chunk does not have is gone in Odoo.</summary>
    public ChangePosition First { get; set; }

    /// <summary>Keys in flight at the marker. All of them, whether or not the chunk has a row of it.</summary>
    public IReadOnlySet<long> Dropped { get; set; } = new HashSet<long>();

    /// <summary>All keys were in flight (a truncate).</summary>
    public bool DroppedAll { get; set; }
    public int Rows { get; set; }

    /// <summary>
    /// It was loaded where the engine had no row: what the stream wrote there since it also deleted if it is gone in Odoo, so no row is
    /// left to be swept.
    /// </summary>
    public bool LoadedIntoEmptyRange { get; set; }

    /// <summary>
    /// Over Kafka: for each partition, by its name, an offset that lies behind everything up to the chunk's end. Set before it has passed.
    /// </summary>
    public IReadOnlyDictionary<string, long>? Vector { get; set; }

    /// <summary>Apply has committed everything up to the chunk's end. Over Kafka: the brokers have acknowledged it.</summary>
    public Task Passed => _passed.Task;

    public void SetPassed() => _passed.TrySetResult();
}
