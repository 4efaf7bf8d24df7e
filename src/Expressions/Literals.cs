using System.Globalization;
using System.Text;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions;

/// <summary>Literals take the type that PostgreSQL gives them.</summary>
internal static class Literals
{
    private const long MicrosPerDay = 86_400_000_000;
    private static readonly DateTime PostgresEpoch = new(2000, 1, 1);
    private static readonly string[] MomentFormats =
    [
        "yyyy-MM-dd",
        "yyyy-MM-dd HH:mm",
        "yyyy-MM-dd HH:mm:ss",
        "yyyy-MM-dd HH:mm:ss.FFFFFF",
    ];

    /// <summary>integer if it fits, else bigint, else numeric.</summary>
    /// <param name="text">With its sign.</param>
    public static Node Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)
            ? new ConstantNode<long>(new SqlType(SqlFamily.Integer, IntegerRange.Of(4).Contains(integer) ? 4 : 8), integer)
            : new ConstantNode<SqlNumeric>(SqlType.Numeric, SqlNumeric.Parse(text));

    /// <summary>A quoted literal or NULL as a value of the type; null if PostgreSQL would not take it, or it depends on settings.</summary>
    public static Node? Typed(string? text, SqlType type)
    {
        if (text is null)
            return Null(type);
        var trimmed = text.Trim(' ');
        return type.Family switch
        {
            SqlFamily.Text => new TextConstantNode(Encoding.UTF8.GetBytes(text), SqlType.Text),
            SqlFamily.Jsonb => Jsonb(text),
            SqlFamily.Boolean => Boolean(trimmed),
            SqlFamily.Integer => Integer(trimmed, type),
            SqlFamily.Float => Float(trimmed, type),
            SqlFamily.Numeric => Numeric(trimmed, type),
            _ => Moment(trimmed, type),
        };
    }

    private static Node Null(SqlType type) =>
        type.Family switch
        {
            SqlFamily.Text or SqlFamily.Jsonb => new NullNode<ReadOnlySpan<byte>>(type),
            SqlFamily.Boolean => new NullNode<bool>(type),
            SqlFamily.Float => new NullNode<double>(type),
            SqlFamily.Numeric => new NullNode<SqlNumeric>(type),
            _ => new NullNode<long>(type),
        };

    private static TextConstantNode? Jsonb(string text) =>
        new JsonbInput().TryRead(Encoding.UTF8.GetBytes(text), out var jsonb) ? new(jsonb.ToArray(), SqlType.Jsonb) : null;

    private static ConstantNode<bool>? Boolean(string text) =>
        text switch
        {
            "true" or "t" => new(SqlType.Boolean, true),
            "false" or "f" => new(SqlType.Boolean, false),
            _ => null,
        };

    private static ConstantNode<long>? Integer(string text, SqlType type) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
        && IntegerRange.Of(type.Width == 0 ? 2 : type.Width).Contains(value)
            ? new(type, value)
            : null;

    private static ConstantNode<double>? Float(string text, SqlType type)
    {
        var value = text.ToLowerInvariant() switch
        {
            "nan" => double.NaN,
            "infinity" or "inf" => double.PositiveInfinity,
            "-infinity" or "-inf" => double.NegativeInfinity,
            _ => Finite(text),
        };
        // Beside a column that may be float4 the literal would become a float4, too.
        return value is { } v && (type.Width == 8 || IsExactAsSingle(v)) ? new(type, v) : null;
    }

    public static bool IsExactAsSingle(double value) => double.IsNaN(value) || (double)(float)value == value;

    private static double? Finite(string text) =>
        double.TryParse(text, NumberStyles.Float & ~NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var value)
        && double.IsFinite(value)
            ? value
            : null;

    private static ConstantNode<SqlNumeric>? Numeric(string text, SqlType type)
    {
        SqlNumeric? value = text.ToLowerInvariant() switch
        {
            "nan" => SqlNumeric.NaN,
            "infinity" or "inf" => SqlNumeric.PositiveInfinity,
            "-infinity" or "-inf" => SqlNumeric.NegativeInfinity,
            _ => Finite(text) is null ? null : SqlNumeric.Parse(text),
        };
        if (value is not { } v)
            return null;
        if (type.Precision == 0)
            return new(type, v);
        var rounded = v.Round(type.Scale);
        return NumericBound.Holds(rounded, NumericBound.Of(type)) ? new(type, rounded) : null;
    }

    private static ConstantNode<long>? Moment(string text, SqlType type)
    {
        var isDate = type.Family == SqlFamily.Date;
        if (text == "infinity")
            return new(type, isDate ? int.MaxValue : long.MaxValue);
        if (text == "-infinity")
            return new(type, isDate ? int.MinValue : long.MinValue);
        if (type.Family == SqlFamily.TimestampTz)
        {
            // Without its zone it would depend on the session's.
            if (!text.EndsWith("+00", StringComparison.Ordinal))
                return null;
            text = text[..^3];
        }
        if (!DateTime.TryParseExact(text, MomentFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment))
            return null;
        var micros = (moment - PostgresEpoch).Ticks / 10;
        if (isDate && micros % MicrosPerDay != 0)
            return null;
        return new(type, isDate ? micros / MicrosPerDay : micros);
    }
}
