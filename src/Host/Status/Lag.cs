using Cdc.Core.Changes;
using Cdc.Core.Operations;
using Cdc.Log.Kafka;

namespace Cdc.Host.Status;

/// <summary>How far the engine is behind the source.</summary>
internal static class Lag
{
    /// <summary>Null where one side is not known, or the engine follows another source.</summary>
    public static long? Bytes(EngineStatus? engine, SourceStatus? source)
    {
        if (engine?.ThroughLsn is not { } through || source is null || engine.SystemIdentifier != source.SystemIdentifier)
            return null;
        var (applied, written) = (Lsn.Parse(through).Value, Lsn.Parse(source.InsertLsn).Value);
        return applied >= written ? 0 : (long)(written - applied);
    }

    /// <summary>
    /// Never understated: the age of the newest source time that is known to be applied, from a heartbeat or a commit,
    /// even when other databases on that server write too. Before the first heartbeat the age of the last applied commit, while there is
    /// WAL to read.
    /// </summary>
    public static double? Seconds(EngineStatus? engine, SourceStatus? source)
    {
        if (Bytes(engine, source) is not { } bytes)
            return null;
        if (bytes == 0)
            return 0;
        return Age(Newest(engine!.LastCommitAt, engine.AsOf), source!.Now);
    }

    /// <summary>How far the engine is behind each partition of the Kafka log that ends at these offsets.</summary>
    /// <param name="ends">By topic, the offset after the last record of each partition.</param>
    /// <param name="now">Of the source, where it can be read.</param>
    public static LogStatus Of(
        EngineStatus engine,
        SourceStatus? source,
        IReadOnlyDictionary<string, IReadOnlyList<long>> ends,
        DateTimeOffset now
    )
    {
        var applied = engine.Log ?? new AppliedLog(null, null, null, []);
        var checkpoints = applied.Partitions.ToDictionary(p => p.Partition);
        var ofTheLog = Seconds(
            engine with
            {
                ThroughLsn = applied.ThroughLsn,
                AsOf = applied.AsOf,
                LastCommitAt = applied.LastCommitAt,
            },
            source
        );
        var partitions = ends.SelectMany(topic =>
                topic.Value.Select(
                    (end, number) =>
                    {
                        if (!checkpoints.TryGetValue(LogPartition.NameOf(topic.Key, number), out var checkpoint))
                            return new PartitionStatus(topic.Key, number, end, null, null, null);
                        var behind = end - checkpoint.Next;
                        // What it holds now is something else than what was applied.
                        if (behind < 0)
                            return new PartitionStatus(topic.Key, number, end, checkpoint.Next, null, null);
                        return new PartitionStatus(
                            topic.Key,
                            number,
                            end,
                            checkpoint.Next,
                            behind,
                            behind > 0 ? Age(Newest(checkpoint.LastCommitAt, checkpoint.AsOf), now) : ofTheLog
                        );
                    }
                )
            )
            .ToList();
        var isKnown = partitions.Exists(p => p.MessagesBehind is not null) && !partitions.Exists(HasLost);
        return new LogStatus(
            partitions,
            isKnown ? partitions.Sum(p => p.MessagesBehind) : null,
            isKnown ? partitions.Max(p => p.SecondsBehind) : null
        );
    }

    /// <summary>Ends before what the engine has applied of it: the topic was made anew, or the brokers have lost records.</summary>
    /// <param name="partition">Of the Kafka log.</param>
    public static bool HasLost(PartitionStatus partition) => partition.LogEnd < partition.Checkpoint;

    private static DateTimeOffset? Newest(DateTimeOffset? commit, DateTimeOffset? heartbeat) =>
        commit > heartbeat || heartbeat is null ? commit : heartbeat;

    private static double? Age(DateTimeOffset? moment, DateTimeOffset now) =>
        moment is { } at ? Math.Max(0, (now - at).TotalSeconds) : null;
}
