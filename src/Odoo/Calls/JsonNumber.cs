using System.Globalization;
using System.Text.Json;

namespace Cdc.Odoo.Calls;

/// <summary>
/// Python writes doubles as <c>1796000000000001.0</c>, and NaN and infinities, which JSON has not, as bare words (of which
/// <see cref="Transport.PythonJson"/> makes texts).
/// </summary>
internal static class JsonNumber
{
    /// <summary>Null: no number.</summary>
    public static double? Read(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Number => value.GetDouble(),
            JsonValueKind.String
                when double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            _ => null,
        };

    /// <summary>A whole number below 2^53, which a double holds exactly; null: anything else.</summary>
    public static long? ReadWhole(JsonElement value) =>
        Read(value) is { } number && Math.Abs(number) < 1L << 53 && number == Math.Floor(number) ? (long)number : null;
}
