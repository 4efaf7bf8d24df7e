using System.Globalization;
using Cdc.Core.Operations;

namespace Cdc.Api.Operations;

/// <summary>How far the engine is behind, for each topic and partition.</summary>
/// <param name="Seconds">Never less than the truth; null: one of the servers cannot be read.</param>
/// <param name="SlotRetainedBytes">WAL that the slot keeps on the source.</param>
internal sealed record LagView(
    DateTimeOffset At,
    string State,
    double? Seconds,
    long? Bytes,
    long? SlotRetainedBytes,
    string? WalStatus,
    long? SafeWalSize,
    IReadOnlyList<PartitionLag> Partitions
)
{
    public static LagView Of(StatusReport report, ApiParts parts) =>
        new(
            report.At,
            report.State,
            report.SecondsBehind,
            report.BytesBehind,
            report.Source?.Slot?.RetainedBytes,
            report.Source?.Slot?.WalStatus,
            report.Source?.Slot?.SafeWalSize,
            [.. parts.TopicOf is null ? Whole(report, parts) : OfPartitions(report, parts)]
        );

    /// <summary>The in-process log is one partition for all topics, and its offsets are the source's LSNs.</summary>
    private static IEnumerable<PartitionLag> Whole(StatusReport report, ApiParts parts) =>
        StoppedTopic
            .OfEach(parts.Entities, report.Entities)
            .Select(e => new PartitionLag(
                parts.LogOf(e.Entity),
                e.Entity.Name,
                0,
                // The stream's, which passes a stopped table by.
                e.Stopped
                    is null
                    ? report.Engine?.ThroughLsn
                    : null,
                report.Source?.InsertLsn,
                parts.Waiting(report),
                e.Stopped is null ? report.SecondsBehind : null
            )
            {
                StoppedAt = e.Stopped?.At,
                StoppedSeconds = e.Stopped?.Seconds,
            });

    private static IEnumerable<PartitionLag> OfPartitions(StatusReport report, ApiParts parts)
    {
        var entities = parts.Entities.All.ToLookup(parts.LogOf, e => e.Name);
        return (report.Log?.Partitions ?? []).Select(p => new PartitionLag(
            p.Topic,
            string.Join(',', entities[p.Topic]),
            p.Partition,
            Text(p.Checkpoint),
            Text(p.LogEnd),
            p.MessagesBehind,
            p.SecondsBehind
        )
        {
            StoppedAt = p.StoppedAt,
            StoppedSeconds = p.StoppedSeconds,
        });
    }

    private static string? Text(long? offset) => offset?.ToString(CultureInfo.InvariantCulture);
}

/// <param name="Entity">That reads the topic; of several, commas between.</param>
/// <param name="Applied">Offset up to which everything is applied.</param>
/// <param name="End">Offset at the end of the partition; in-process, of the source's log.</param>
/// <param name="Messages">Changes that were captured and wait to be applied: of the partition, in-process of all topics together. Null: not
/// known here.</param>
internal sealed record PartitionLag(
    string Topic,
    string Entity,
    int Partition,
    string? Applied,
    string? End,
    long? Messages,
    double? Seconds
)
{
    /// <summary>Its tables are stopped: how far behind they are is not known. Null: they are not.</summary>
    public DateTimeOffset? StoppedAt { get; init; }

    /// <summary>For how long by now.</summary>
    public double? StoppedSeconds { get; init; }
}
