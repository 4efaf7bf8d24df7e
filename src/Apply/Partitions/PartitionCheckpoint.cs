using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Engine.Tables;
using Cdc.Log.Kafka;
using Cdc.Log.Records;

namespace Cdc.Apply.Partitions;

/// <summary>
/// How far one partition is applied, as its owner goes on with it. What is in the engine is <see cref="Committed"/>; a failure throws all
/// of it away, and the next owner reads the engine.
/// </summary>
internal sealed class PartitionCheckpoint(
    LogPartition partition,
    long next,
    long passedUntil,
    ChangePosition last,
    IEnumerable<(long Session, long Sequence)> sequences
) : IPartitionProgress
{
    /// <summary>Older sessions can have nothing on its way any more.</summary>
    private const int KeptSessions = 16;

    private readonly SortedDictionary<long, long> _sequences = new(sequences.ToDictionary(s => s.Session, s => s.Sequence));

    public LogPartition Partition { get; } = partition;

    public string Name => Partition.Name;

    /// <summary>Offset of the first record that is not taken.</summary>
    public long Next { get; private set; } = next;

    /// <summary>Records below it were there before the generation began: none of them is taken.</summary>
    public long PassedUntil { get; } = passedUntil;

    /// <summary>Position of the last change that was taken: what is not above it was applied.</summary>
    public ChangePosition Last { get; private set; } = last;

    /// <summary>Commit time of the last change, microseconds since 2000-01-01 UTC; null if none was taken since it was read.</summary>
    public long? LastCommitMicros { get; private set; }

    /// <summary>The offset that the engine has.</summary>
    public long Committed { get; private set; } = next;
    public long NewestSession => _sequences.Count == 0 ? 0 : _sequences.Last().Key;

    /// <summary>Pairs of session and the sequence that must come next.</summary>
    public long[] Sequences => [.. _sequences.TakeLast(KeptSessions).SelectMany(s => new[] { s.Key, s.Value })];

    /// <summary>A record without a payload, or one that is dropped.</summary>
    public void Pass(long offset) => Next = offset + 1;

    /// <summary>False: it was applied before, or something newer was; positions make late records of old sessions harmless.</summary>
    /// <param name="generation">The engine's.</param>
    /// <exception cref="DeclaredGapException">Records of its session are missing before it.</exception>
    public bool Take(long offset, RecordStamp stamp, ChangePosition position, long commitMicros, int generation)
    {
        var expected = _sequences.GetValueOrDefault(stamp.Session);
        if (stamp.Sequence > expected && position.Generation >= generation)
            throw new DeclaredGapException(
                GapKinds.LogGap,
                $"Partition {Partition} lacks records: at offset {offset} session {stamp.Session} goes on with its record "
                    + $"{stamp.Sequence}, after {expected} of it were there.",
                "Check with 'cdc topics describe'; accept it and read everything again with 'cdc slot reset' (ops/runbooks/kafka.md)."
            );
        _sequences[stamp.Session] = Math.Max(expected, stamp.Sequence + 1);
        Pass(offset);
        if (position <= Last)
            return false;
        (Last, LastCommitMicros) = (position, commitMicros);
        return true;
    }

    public void SetCommitted() => Committed = Next;
}
