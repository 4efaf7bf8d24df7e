using Cdc.Core.Changes;
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
}
