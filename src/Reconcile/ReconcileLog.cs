using Microsoft.Extensions.Logging;

namespace Cdc.Reconcile;

internal static partial class ReconcileLog
{
    [LoggerMessage(400, LogLevel.Warning, "{Alert}: {Reason} Found by run {Run}. It stays fired until 'cdc alerts rearm' arms it again")]
    public static partial void Warned(ILogger log, string alert, string reason, long run);

    [LoggerMessage(401, LogLevel.Error, "{Alert}: {Reason} Found by run {Run}. It stays fired until 'cdc alerts rearm' arms it again")]
    public static partial void Alerted(ILogger log, string alert, string reason, long run);

    [LoggerMessage(402, LogLevel.Critical, "{Alert}: {Reason} Found by run {Run}. It stays fired until 'cdc alerts rearm' arms it again")]
    public static partial void Paged(ILogger log, string alert, string reason, long run);

    [LoggerMessage(403, LogLevel.Information, "The last comparison says nothing: alerts pause until one does")]
    public static partial void Paused(ILogger log);

    [LoggerMessage(411, LogLevel.Warning, "Run {Run} could not compare everything: {Reason}")]
    public static partial void LeftOut(ILogger log, long run, string reason);

    [LoggerMessage(
        404,
        LogLevel.Warning,
        "The drift of run {Run} was repaired: {Equal} keys are equal now, {Differing} still differ, {Unknown} could not be verified"
    )]
    public static partial void Remediated(ILogger log, long run, int equal, int differing, int unknown);

    [LoggerMessage(410, LogLevel.Warning, "Run {Run}: {Proposal}")]
    public static partial void Proposed(ILogger log, long run, string proposal);

    [LoggerMessage(405, LogLevel.Warning, "The webhook did not take {Alert}: {Reason}. Tried again with the next comparison")]
    public static partial void NotDelivered(ILogger log, string alert, string reason);

    [LoggerMessage(
        406,
        LogLevel.Warning,
        "The comparison beside the pipeline failed: {Reason} What to do next: {Remedy} Tried again in {Seconds} s; the pipeline goes on"
    )]
    public static partial void Failed(ILogger log, string reason, string remedy, double seconds);

    [LoggerMessage(407, LogLevel.Error, "The comparison beside the pipeline failed by a defect; cdc retries it, and the pipeline goes on")]
    public static partial void Defect(ILogger log, Exception exception);

    [LoggerMessage(
        409,
        LogLevel.Warning,
        "Request {Request} has not been served for {Seconds} s: is 'cdc run' running? 'cdc status' shows what it does"
    )]
    public static partial void StillWaiting(ILogger log, long request, long seconds);

    [LoggerMessage(408, LogLevel.Information, "No comparison now: {Reason}")]
    public static partial void Skipped(ILogger log, string reason);
}
