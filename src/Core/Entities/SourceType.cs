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

    /// <summary>jsonb alone, for expressions: json has other rules (its keys may repeat, its numbers keep their notation).</summary>
    Jsonb,

    /// <summary>
    /// Any type of numbers, also one that changes while it is followed: Odoo's Float is float8, and numeric once its field has digits.
    /// Expressions cast it, so that they mean the same over each of them.
    /// </summary>
    Number,
}
