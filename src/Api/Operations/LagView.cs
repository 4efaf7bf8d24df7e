using Cdc.Core.Entities;
using Cdc.Core.Operations;

namespace Cdc.Api.Operations;

/// <summary>How far the engine is behind, for each topic and partition.</summary>
/// <param name="Seconds">Never less than the truth; null: one of the servers cannot be read.</param>
/// <param name="SlotRetainedBytes">WAL that the slot keeps on the source.</param>
internal sealed record LagView(
    DateTimeOffset At, string State, double? Seconds, long? Bytes, long? SlotRetainedBytes, string? WalStatus, long? SafeWalSize, IReadOnlyList<PartitionLag> Partitions)
{
    /// <summary>The in-process log is one partition for all topics, and its offsets are the source's LSNs.</summary>
    public static LagView Of(StatusReport report, EntitySet entities, long? waiting) => new(
        report.At, report.State, report.SecondsBehind, report.BytesBehind, report.Source?.Slot?.RetainedBytes, report.Source?.Slot?.WalStatus, report.Source?.Slot?.SafeWalSize,
        [.. entities.All.Select(e => new PartitionLag($"{e.SourceSchema}.{e.SourceTable}", e.Name, 0, report.Engine?.ThroughLsn, report.Source?.InsertLsn, waiting, report.SecondsBehind))]);
}

/// <param name="Applied">Offset up to which everything is applied.</param>
/// <param name="End">Offset at the end of the source's log.</param>
/// <param name="Messages">Changes that were captured and wait to be applied, of all topics of the partition; null: not this process's.</param>
internal sealed record PartitionLag(string Topic, string Entity, int Partition, string? Applied, string? End, long? Messages, double? Seconds);
