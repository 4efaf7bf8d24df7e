namespace Cdc.Core.Operations;

/// <summary>How far the engine is behind the Kafka log.</summary>
/// <param name="MessagesBehind">Of all partitions; null: the engine has begun with none, or one has lost records.</param>
/// <param name="SecondsBehind">The largest of the partitions; null: of none is it known, or one has lost records.</param>
public sealed record LogStatus(IReadOnlyList<PartitionStatus> Partitions, long? MessagesBehind, double? SecondsBehind);

/// <summary>One partition of the log.</summary>
/// <param name="LogEnd">Offset after its last record. In-process all tables are in the source's log, and its offsets are LSNs as numbers;
/// null while that cannot be read.</param>
/// <param name="Checkpoint">Offset of the first record that is not applied; null: the engine has not begun with it.</param>
/// <param name="MessagesBehind">Null where the partition ends before the checkpoint: what was applied is gone from it. Null also in-process:
/// what is in the source's log is not counted.</param>
/// <param name="SecondsBehind">
/// While records wait, the age of the newest moment of the source that is known to be applied here, from a commit or a heartbeat; else
/// how far the log itself is behind the source. Null: nothing was applied yet, or the source cannot be read.
/// </param>
public sealed record PartitionStatus(
    string Topic,
    int Partition,
    long? LogEnd,
    long? Checkpoint,
    long? MessagesBehind,
    double? SecondsBehind
)
{
    /// <summary>Its tables are stopped: what is here is not applied, and how far behind they are is not known. Null: they are not.</summary>
    public DateTimeOffset? StoppedAt { get; init; }

    /// <summary>For how long by now.</summary>
    public double? StoppedSeconds { get; init; }

    public PartitionStatus With(StoppedTopic? stopped) =>
        stopped is null ? this : this with { SecondsBehind = null, StoppedAt = stopped.At, StoppedSeconds = stopped.Seconds };
}

/// <summary>The engine's account of the Kafka log.</summary>
/// <param name="ThroughLsn">All commits that start below it are in the log; null: not known.</param>
/// <param name="AsOf">All commits that had returned by then, by the source's clock, are in the log; null: not known.</param>
/// <param name="LastCommitAt">Newest commit time that any partition has applied.</param>
public sealed record AppliedLog(
    string? ThroughLsn,
    DateTimeOffset? AsOf,
    DateTimeOffset? LastCommitAt,
    IReadOnlyList<AppliedPartition> Partitions
);

/// <param name="Partition">Its name: topic, slash, number.</param>
/// <param name="Next">Offset of the first record that is not applied.</param>
/// <param name="LastCommitAt">Commit time in the source of the last applied change.</param>
/// <param name="AsOf">All commits that had returned by then, by the source's clock, are applied as far as they are in this partition; null:
/// not known.</param>
public sealed record AppliedPartition(string Partition, long Next, DateTimeOffset? LastCommitAt, DateTimeOffset? AsOf);
