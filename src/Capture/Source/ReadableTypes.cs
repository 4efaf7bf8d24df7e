using Cdc.Core.Entities;

namespace Cdc.Capture.Source;

/// <summary>Which PostgreSQL types (by their fixed OIDs) a declared column can be read from.</summary>
internal static class ReadableTypes
{
    public static bool CanRead(SourceType declared, uint oid) => declared switch
    {
        SourceType.Integer => oid is 20 or 21 or 23,
        SourceType.Float => oid is 700 or 701,
        SourceType.Numeric => oid is 1700,
        SourceType.Text => oid is 19 or 25 or 1042 or 1043,
        SourceType.Boolean => oid is 16,
        SourceType.Timestamp => oid is 1114,
        SourceType.TimestampTz => oid is 1184,
        SourceType.Date => oid is 1082,
        _ => false,
    };

    /// <summary>A PostgreSQL type that can hold the declared one, for remedies.</summary>
    public static string Example(SourceType declared) => declared switch
    {
        SourceType.Integer => "integer",
        SourceType.Float => "double precision",
        SourceType.Numeric => "numeric",
        SourceType.Text => "text",
        SourceType.Boolean => "boolean",
        SourceType.Timestamp => "timestamp",
        SourceType.TimestampTz => "timestamptz",
        SourceType.Date => "date",
        _ => throw new ArgumentOutOfRangeException(nameof(declared), declared, "Not a source type."),
    };
}
