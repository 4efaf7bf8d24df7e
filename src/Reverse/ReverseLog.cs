using Microsoft.Extensions.Logging;

namespace Cdc.Reverse;

internal static partial class ReverseLog
{
    [LoggerMessage(620, LogLevel.Debug, "{Changes} own changes of {Cards} cards were sent to Odoo")]
    public static partial void Sent(ILogger log, int changes, int cards);

    [LoggerMessage(
        621,
        LogLevel.Error,
        "Card {Card} is not sent any further: {Reason}. The others go on. What to do next: 'cdc reverse status', then 'cdc reverse retry {Card}'"
    )]
    public static partial void CardStopped(ILogger log, long card, string reason);

    [LoggerMessage(622, LogLevel.Warning, "Own changes wait: {Reason} {Remedy}")]
    public static partial void OdooAway(ILogger log, string reason, string remedy);

    [LoggerMessage(623, LogLevel.Error, "Nothing is sent to Odoo: {Reason} What to do next: {Remedy} Tried again in {Seconds} s")]
    public static partial void Stopped(ILogger log, string reason, string remedy, double seconds);

    [LoggerMessage(624, LogLevel.Information, "Own changes are sent to Odoo {Version}, by the server action {Action}")]
    public static partial void Sending(ILogger log, string version, long action);

    [LoggerMessage(625, LogLevel.Error, "Sending to Odoo failed by a defect; cdc tries again in {Seconds} s")]
    public static partial void Defect(ILogger log, Exception exception, double seconds);
}
