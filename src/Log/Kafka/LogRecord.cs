using Cdc.Core.Changes;
using Cdc.Log.Records;

namespace Cdc.Log.Kafka;

/// <summary>One record as it was read, or an offset that was passed and is none.</summary>
/// <param name="Change">Null: a tombstone, or the end of a transaction.</param>
/// <param name="More">The same change for further entities of the table; null where there are none.</param>
public readonly record struct LogRecord(
    LogPartition Partition,
    long Offset,
    RecordStamp Stamp,
    ChangeEvent? Change,
    IReadOnlyList<ChangeEvent>? More
);

/// <summary>What a member of the group is given, in the order in which it holds.</summary>
public abstract record LogPart;

/// <param name="Bytes">That the records keep alive.</param>
public sealed record LogRecords(IReadOnlyList<LogRecord> Records, long Bytes) : LogPart;

/// <param name="Taken">What was taken for these partitions before their first record was read.</param>
public sealed record PartitionsAssigned(IReadOnlyList<object> Taken) : LogPart;

/// <param name="AreLost">Another member may have them already.</param>
/// <param name="Done">To be completed when nothing of them is applied any more.</param>
public sealed record PartitionsRevoked(IReadOnlyList<LogPartition> Partitions, bool AreLost, TaskCompletionSource Done) : LogPart;
