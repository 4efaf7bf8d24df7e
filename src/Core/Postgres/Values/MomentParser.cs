using System.Globalization;

namespace Cdc.Core.Postgres.Values;

/// <summary>Reads what <see cref="MomentText"/> writes, and ISO 8601 with a sign before years of more than four digits.</summary>
public static class MomentParser
{
    private static readonly string[] Times = [@"hh\:mm\:ss", @"hh\:mm\:ss\.FFFFFF"];

    /// <summary>Microseconds since 2000-01-01; what stands behind the seconds' fraction may be Z or BC.</summary>
    public static bool TryTimestamp(ReadOnlySpan<char> text, out long micros)
    {
        micros = 0;
        if (Infinity(text) is { } sign)
        {
            micros = sign > 0 ? long.MaxValue : long.MinValue;
            return true;
        }
        var isBefore = text.EndsWith(" BC", StringComparison.Ordinal);
        if (isBefore)
            text = text[..^3];
        text = text.TrimEnd('Z');
        var split = text.IndexOfAny(' ', 'T');
        return split > 0
            && TryDay(text[..split], isBefore, out var days)
            && TimeSpan.TryParseExact(text[(split + 1)..], Times, CultureInfo.InvariantCulture, out var time)
            && TryAdd(days, time, out micros);
    }

    /// <summary>Days since 2000-01-01.</summary>
    public static bool TryDate(ReadOnlySpan<char> text, out int days)
    {
        days = 0;
        if (Infinity(text) is { } sign)
        {
            days = sign > 0 ? int.MaxValue : int.MinValue;
            return true;
        }
        var isBefore = text.EndsWith(" BC", StringComparison.Ordinal);
        if (!TryDay(isBefore ? text[..^3] : text, isBefore, out var all) || all is <= int.MinValue or >= int.MaxValue)
            return false;
        days = (int)all;
        return true;
    }

    private static int? Infinity(ReadOnlySpan<char> text) =>
        text switch
        {
            "infinity" => 1,
            "-infinity" => -1,
            _ => null,
        };

    private static bool TryAdd(long days, TimeSpan time, out long micros)
    {
        var sum = (Int128)days * MomentText.MicrosPerDay + time.Ticks / TimeSpan.TicksPerMicrosecond;
        micros = (long)sum;
        return micros == sum;
    }

    private static bool TryDay(ReadOnlySpan<char> text, bool isBefore, out long days)
    {
        days = 0;
        if (
            text.Length < 8
            || text[^3] != '-'
            || text[^6] != '-'
            || !long.TryParse(text[..^6], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var year)
            || Math.Abs(year) > 10_000_000
            || !int.TryParse(text[^5..^3], NumberStyles.None, CultureInfo.InvariantCulture, out var month)
            || month is < 1 or > 12
            || !int.TryParse(text[^2..], NumberStyles.None, CultureInfo.InvariantCulture, out var day)
            || day is < 1 or > 31
        )
            return false;
        days = MomentText.DaysOf(isBefore ? 1 - year : year, month, day);
        return true;
    }
}
