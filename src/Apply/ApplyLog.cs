using Microsoft.Extensions.Logging;

namespace Cdc.Apply;

internal static partial class ApplyLog
{
    [LoggerMessage(
        530,
        LogLevel.Warning,
        "Row {Key} of {Entity} cannot be applied ({Reason}) and is in quarantine: 'cdc quarantine show' explains it"
    )]
    public static partial void Quarantined(ILogger log, string entity, long key, string reason);

    [LoggerMessage(531, LogLevel.Warning, "{Rows} more rows of {Entity} went to quarantine with them: 'cdc quarantine list' names them")]
    public static partial void QuarantinedMore(ILogger log, string entity, int rows);
}
