namespace Cdc.Core.Entities;

/// <summary>What a declared source column holds. A family: an integer column may be int2, int4 or int8 in the source.</summary>
public enum SourceType
{
    Integer,
    Float,
    Numeric,
    Text,
    Boolean,

    /// <summary>Without time zone; Odoo keeps UTC in it.</summary>
    Timestamp,
    TimestampTz,
    Date,

    /// <summary>Like the two after it: carried into topics for others to read; no expression can use it.</summary>
    Uuid,

    /// <summary>json or jsonb.</summary>
    Json,
    Bytes,
}
