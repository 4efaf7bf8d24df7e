using Microsoft.Extensions.Logging;

namespace Cdc.Api;

/// <summary>Never codes, ids of cards, keys or request paths: those are data of customers.</summary>
internal static partial class ApiLog
{
    [LoggerMessage(200, LogLevel.Information, "The Api listens on {Urls}")]
    public static partial void Listens(this ILogger log, string urls);

    [LoggerMessage(
        201,
        LogLevel.Warning,
        "There are no keys yet: the Api listens on this machine only, at {Url} instead of {Wanted}, and asks for no key. Make one with "
            + "'cdc keys create', then start again"
    )]
    public static partial void NarrowedToLoopback(this ILogger log, string url, string wanted);

    [LoggerMessage(
        202,
        LogLevel.Warning,
        "Whether there are keys is not known while the engine cannot be read: only health is answered, and on this machine status and metrics"
    )]
    public static partial void KeysUnknown(this ILogger log);

    [LoggerMessage(
        209,
        LogLevel.Warning,
        "No balances are served: the entities declaration has no entity that serves as card, with its code and a column in \"notify\" "
            + "(see the delivered schemas/entities.json)"
    )]
    public static partial void NoCards(this ILogger log);

    [LoggerMessage(
        203,
        LogLevel.Warning,
        "The engine's announcements do not arrive ({Cause}): cards are read from the engine for every request; tried again in {Seconds} s"
    )]
    public static partial void ListenerLost(this ILogger log, string cause, double seconds);

    [LoggerMessage(204, LogLevel.Warning, "The source's clock cannot be read: answers say an older asOf until it can. {Reason}")]
    public static partial void SourceUnreadable(this ILogger log, string reason);

    [LoggerMessage(205, LogLevel.Error, "A request failed unexpectedly at {Route}")]
    public static partial void RequestFailed(this ILogger log, Exception exception, string route);

    [LoggerMessage(206, LogLevel.Error, "The page's data could not be read")]
    public static partial void PointFailed(this ILogger log, Exception exception);

    [LoggerMessage(207, LogLevel.Warning, "What was applied today cannot be counted in the engine ({Cause}); added later")]
    public static partial void CountFailed(this ILogger log, string cause);

    [LoggerMessage(
        210,
        LogLevel.Error,
        "The cutover's scope {Scope} was taken back: Odoo answers its reads ({Why}). When that is settled: cdc cutover hold {Scope} --release"
    )]
    public static partial void ScopeTripped(this ILogger log, string scope, string why);

    [LoggerMessage(211, LogLevel.Error, "The triggers of the cutover cannot be looked at")]
    public static partial void WatchFailed(this ILogger log, Exception exception);

    [LoggerMessage(208, LogLevel.Warning, "A read replica of the engine cannot be asked ({Cause}); the engine is asked instead")]
    public static partial void ReplicaLost(this ILogger log, string cause);

    [LoggerMessage(
        212,
        LogLevel.Warning,
        "Odoo cannot be asked for what the cutover leaves to it, and the engine answers instead: {Cause}"
    )]
    public static partial void OdooLost(this ILogger log, string cause);

    [LoggerMessage(213, LogLevel.Warning, "What shadow reads found cannot be kept in the engine: {Cause} Tried again")]
    public static partial void ComparedNotKept(this ILogger log, string cause);

    [LoggerMessage(214, LogLevel.Error, "A shadow read failed unexpectedly")]
    public static partial void CompareFailed(this ILogger log, Exception exception);
}
