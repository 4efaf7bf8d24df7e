using Microsoft.Extensions.Logging;

namespace Cdc.Odoo;

internal static partial class OdooLog
{
    [LoggerMessage(600, LogLevel.Information, "Odoo {Version} is called by {Protocol}")]
    public static partial void Connected(ILogger log, string version, OdooProtocol protocol);

    [LoggerMessage(601, LogLevel.Warning, "{Call}: {Reason}. Sent again in {Seconds} s")]
    public static partial void SentAgain(ILogger log, string call, string reason, double seconds);

    [LoggerMessage(602, LogLevel.Warning, "Odoo is away: half of the calls fail. No call is sent for {Seconds} s")]
    public static partial void Away(ILogger log, double seconds);

    [LoggerMessage(603, LogLevel.Information, "Odoo answers again")]
    public static partial void Back(ILogger log);

    [LoggerMessage(610, LogLevel.Information, "Odoo: {Step}: done")]
    public static partial void Step(ILogger log, string step);
}
