using Cdc.Core.Entities;

namespace Cdc.Core.Postgres;

public enum SqlFamily
{
    /// <summary>A quoted literal or NULL, which takes its type from where it stands.</summary>
    Untyped,
    Boolean,
    Integer,
    Float,
    Numeric,
    Text,
    Timestamp,
    TimestampTz,
    Date,
    Jsonb,

    /// <summary>A column declared as number, which has to be cast before it is used.</summary>
    AnyNumber,
}

/// <summary>The type of an expression or of an engine column.</summary>
/// <param name="Width">Bytes of an integer or float; 0 where the source decides (an integer column may be int2, int4 or int8).</param>
/// <param name="Precision">Of numeric(p,s), or the n of varchar(n); 0 is without bound.</param>
public readonly record struct SqlType(SqlFamily Family, int Width = 0, int Precision = 0, int Scale = 0)
{
    public static readonly SqlType Untyped = new(SqlFamily.Untyped);
    public static readonly SqlType Boolean = new(SqlFamily.Boolean);
    public static readonly SqlType BigInt = new(SqlFamily.Integer, 8);
    public static readonly SqlType Double = new(SqlFamily.Float, 8);
    public static readonly SqlType Numeric = new(SqlFamily.Numeric);
    public static readonly SqlType Text = new(SqlFamily.Text);
    public static readonly SqlType Jsonb = new(SqlFamily.Jsonb);
    public static readonly SqlType AnyNumber = new(SqlFamily.AnyNumber);

    public static SqlType Of(SourceType source) =>
        new(
            source switch
            {
                SourceType.Integer => SqlFamily.Integer,
                SourceType.Float => SqlFamily.Float,
                SourceType.Numeric => SqlFamily.Numeric,
                SourceType.Text => SqlFamily.Text,
                SourceType.Boolean => SqlFamily.Boolean,
                SourceType.Timestamp => SqlFamily.Timestamp,
                SourceType.TimestampTz => SqlFamily.TimestampTz,
                SourceType.Date => SqlFamily.Date,
                SourceType.Jsonb => SqlFamily.Jsonb,
                SourceType.Number => SqlFamily.AnyNumber,
                _ => throw new ArgumentOutOfRangeException(nameof(source), source, null),
            }
        );

    public bool IsNumber => Family is SqlFamily.Integer or SqlFamily.Float or SqlFamily.Numeric;

    public override string ToString() =>
        Family switch
        {
            SqlFamily.Untyped => "a literal without type",
            SqlFamily.Integer => Width switch
            {
                2 => "smallint",
                4 => "integer",
                8 => "bigint",
                _ => "an integer column",
            },
            SqlFamily.Float => Width == 8 ? "double precision" : "a float column",
            SqlFamily.Numeric => Precision > 0 ? $"numeric({Precision},{Scale})" : "numeric",
            SqlFamily.Text => Precision > 0 ? $"varchar({Precision})" : "text",
            SqlFamily.Timestamp => "timestamp",
            SqlFamily.TimestampTz => "timestamptz",
            SqlFamily.Date => "date",
            SqlFamily.Jsonb => "jsonb",
            SqlFamily.AnyNumber => "a column of any number type",
            _ => "boolean",
        };
}
