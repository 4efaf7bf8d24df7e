using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline;

internal static partial class PipelineLog
{
    [LoggerMessage(300, LogLevel.Information, "Creating slot {Slot}: waits until every running transaction of the source has ended")]
    public static partial void CreatingSlot(ILogger log, string slot);

    [LoggerMessage(301, LogLevel.Information, "Generation {Generation} begins: slot {Slot} at {Lsn}, every table is read")]
    public static partial void GenerationBegins(ILogger log, int generation, string slot, Lsn lsn);

    [LoggerMessage(302, LogLevel.Information, "Standby: another process holds slot {Slot}; this one takes over when it ends")]
    public static partial void StandBy(ILogger log, string slot);

    [LoggerMessage(303, LogLevel.Warning, "{Reason} {Remedy} Trying again in {Seconds} s")]
    public static partial void TryAgain(ILogger log, string reason, string remedy, double seconds);

    [LoggerMessage(304, LogLevel.Warning, "{Reason} Waiting as standby")]
    public static partial void Fenced(ILogger log, string reason);

    [LoggerMessage(305, LogLevel.Warning, "Gap {Kind} accepted by setting, everything is read again: {Reason}")]
    public static partial void GapAccepted(ILogger log, string kind, string reason);

    [LoggerMessage(306, LogLevel.Warning, "{Code}: {Message} -> {Remedy}")]
    public static partial void PreflightWarning(ILogger log, string code, string message, string remedy);

    [LoggerMessage(307, LogLevel.Error, "The pipeline failed by a defect, or in a way that it does not know")]
    public static partial void Unexpected(ILogger log, Exception exception);

    [LoggerMessage(
        308,
        LogLevel.Error,
        "The pipeline stands still ({Kind}): {Reason} What to do next: {Remedy} Looked at again every {Seconds} s: it continues by itself"
    )]
    public static partial void StandsStill(ILogger log, FailureKind kind, string reason, string remedy, double seconds);

    [LoggerMessage(309, LogLevel.Information, "The pipeline works again")]
    public static partial void WorksAgain(ILogger log);

    [LoggerMessage(310, LogLevel.Information, "Topic {Topic} created")]
    public static partial void TopicCreated(ILogger log, string topic);

    [LoggerMessage(
        311,
        LogLevel.Warning,
        "Odoo's database is let go of until {Until} ('cdc pause --release' by {By}): it is taken up again then, or by 'cdc resume'"
    )]
    public static partial void LetGo(ILogger log, string until, string by);
}
