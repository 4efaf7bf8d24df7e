using Cdc.Core.Postgres.Values;
using Microsoft.Extensions.Logging;

namespace Cdc.Host;

internal static partial class HostLog
{
    [LoggerMessage(1, LogLevel.Information, "cdc {Version} runs: slot {Slot}, publication {Publication}, {Entities} entities")]
    public static partial void Running(this ILogger log, string version, string slot, string publication, int entities);

    [LoggerMessage(2, LogLevel.Information, "Signal {Signal}: draining. A second one ends the process at once; nothing is lost either way")]
    public static partial void Draining(this ILogger log, string signal);

    [LoggerMessage(3, LogLevel.Information, "Drained, all that was read is applied")]
    public static partial void Drained(this ILogger log);

    [LoggerMessage(4, LogLevel.Error, "Stops with exit code {ExitCode} ({Kind}): {Reason} What to do next: {Remedy}")]
    public static partial void Stopped(this ILogger log, int exitCode, string kind, string reason, string remedy);

    [LoggerMessage(
        5,
        LogLevel.Critical,
        "Stops with exit code {ExitCode} (Unexpected): {Reason} This is a defect: report it with this line"
    )]
    public static partial void Defect(this ILogger log, Exception exception, int exitCode, string reason);

    [LoggerMessage(
        6,
        LogLevel.Error,
        "The Api does not run: {Reason} What to do next: {Remedy} Tried again in {Seconds} s; the pipeline continues without it"
    )]
    public static partial void ApiFailed(this ILogger log, string reason, string remedy, double seconds);

    [LoggerMessage(7, LogLevel.Information, "Signal {Signal}: the Api stops when the requests that it has are answered")]
    public static partial void ApiStops(this ILogger log, string signal);
}
