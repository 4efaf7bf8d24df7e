using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;
using Microsoft.Extensions.Logging;

namespace Cdc.Capture;

internal static partial class CaptureLog
{
    [LoggerMessage(100, LogLevel.Information, "Streaming from slot {Slot} at {Lsn} (receive low-water mark: {LowWater})")]
    public static partial void StreamStarted(ILogger log, string slot, Lsn lsn, bool lowWater);

    [LoggerMessage(101, LogLevel.Debug, "Stream from slot {Slot} ended: {Reason}")]
    public static partial void StreamEnded(ILogger log, string slot, string reason);

    [LoggerMessage(102, LogLevel.Debug, "Status {Lsn} was not sent to slot {Slot}: the stream has ended")]
    public static partial void StatusNotSent(ILogger log, string slot, Lsn lsn);

    [LoggerMessage(110, LogLevel.Debug, "A chunk of {Table} waits: oldest running transaction {Xmin}, must be at least {Barrier}")]
    public static partial void ChunkWaits(ILogger log, string table, ulong xmin, ulong barrier);

    [LoggerMessage(111, LogLevel.Warning, "A chunk of {Table} cannot be read now, trying again: {Reason}")]
    public static partial void ChunkNotReadable(ILogger log, string table, string reason);

    [LoggerMessage(
        112,
        LogLevel.Information,
        "Chunk of {Table} done ({Kind} {Range}): {Rows} rows read, {Swept} removed, {Dropped} keys in flight"
    )]
    public static partial void ChunkDone(ILogger log, string table, string kind, string range, int rows, long swept, int dropped);

    [LoggerMessage(115, LogLevel.Debug, "A fence of {Table} waits: oldest running transaction {Xmin}, must be at least {Barrier}")]
    public static partial void FenceWaits(ILogger log, string table, ulong xmin, ulong barrier);

    [LoggerMessage(116, LogLevel.Information, "Fence {Fence} of {Table} is given up: {Reason}")]
    public static partial void FenceGivenUp(ILogger log, long fence, string table, string reason);

    [LoggerMessage(
        121,
        LogLevel.Warning,
        "Table {Table} changed without an event (rewritten, created again or published again): it is read again"
    )]
    public static partial void TableReadAgain(ILogger log, string table);

    [LoggerMessage(
        122,
        LogLevel.Warning,
        "Table {Table} stays stopped: the stream stopped it after the catalog had let it be read again, and the catalog has not changed since. "
            + "A change of the table, or a restart, has it tried again"
    )]
    public static partial void TableStaysStopped(ILogger log, string table);

    [LoggerMessage(123, LogLevel.Warning, "Publication {Publication} could not be extended by the declared tables: {Reason}")]
    public static partial void NotPublished(ILogger log, string publication, string reason);
}
