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
}
