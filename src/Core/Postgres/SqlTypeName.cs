using System.Globalization;

namespace Cdc.Core.Postgres;

/// <summary>Reads PostgreSQL's names of types, as written after <c>::</c> and for engine columns.</summary>
public static class SqlTypeName
{
    public const string Supported =
        "smallint, integer, bigint, double precision, numeric, numeric(p,s), text, varchar, varchar(n), boolean, timestamp, timestamptz, "
        + "date, jsonb (and PostgreSQL's aliases int2, int4, int8, float8, bool, ...)";

    private const int MaxPrecision = 1000;
    private const int MaxLength = 10_485_760;

    private static readonly Dictionary<string, SqlType> Plain = new(StringComparer.Ordinal)
    {
        ["int2"] = new(SqlFamily.Integer, 2),
        ["smallint"] = new(SqlFamily.Integer, 2),
        ["int4"] = new(SqlFamily.Integer, 4),
        ["int"] = new(SqlFamily.Integer, 4),
        ["integer"] = new(SqlFamily.Integer, 4),
        ["int8"] = SqlType.BigInt,
        ["bigint"] = SqlType.BigInt,
        ["float8"] = SqlType.Double,
        ["double precision"] = SqlType.Double,
        ["numeric"] = SqlType.Numeric,
        ["decimal"] = SqlType.Numeric,
        ["text"] = SqlType.Text,
        ["varchar"] = SqlType.Text,
        ["character varying"] = SqlType.Text,
        ["bool"] = SqlType.Boolean,
        ["boolean"] = SqlType.Boolean,
        ["timestamp"] = new(SqlFamily.Timestamp),
        ["timestamp without time zone"] = new(SqlFamily.Timestamp),
        ["timestamptz"] = new(SqlFamily.TimestampTz),
        ["timestamp with time zone"] = new(SqlFamily.TimestampTz),
        ["date"] = new(SqlFamily.Date),
        ["jsonb"] = SqlType.Jsonb,
    };

    /// <summary>Null if the type is not supported.</summary>
    public static SqlType? Parse(string name)
    {
        var open = name.IndexOf('(', StringComparison.Ordinal);
        var word = string.Join(
            ' ',
            (open < 0 ? name : name[..open]).ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
        );
        if (!Plain.TryGetValue(word, out var type))
            return null;
        if (open < 0)
            return type;
        if (!name.EndsWith(')'))
            return null;
        return WithModifiers(type, name[(open + 1)..^1].Split(','));
    }

    private static SqlType? WithModifiers(SqlType type, string[] texts)
    {
        var numbers = new int[texts.Length];
        for (var i = 0; i < texts.Length; i++)
            if (!int.TryParse(texts[i].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                return null;
        return (type.Family, numbers) switch
        {
            (SqlFamily.Numeric, [var p]) when p is > 0 and <= MaxPrecision => type with { Precision = p },
            (SqlFamily.Numeric, [var p, var s]) when p is > 0 and <= MaxPrecision && s <= p => type with { Precision = p, Scale = s },
            (SqlFamily.Text, [var n]) when n is > 0 and <= MaxLength => type with { Precision = n },
            _ => null,
        };
    }
}
