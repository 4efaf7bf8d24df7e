using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Cdc.Core.Postgres.Values;

/// <summary>PostgreSQL's dates and timestamps as ISO text. They reach from 4713 BC to the year 294276, far beyond DateTime.</summary>
public static class MomentText
{
    public const long MicrosPerDay = 86_400_000_000;
    public const int LongestIso = 40;
    private const int EpochJulianDay = 2_451_545;
    private const int DaysPerCycle = 146_097;

    /// <summary>The Julian day from which cycles are counted: 1 March of the year 0.</summary>
    private const int MarchOfYear0 = 1_721_120;

    public static string Timestamp(long micros)
    {
        if (micros == long.MaxValue)
            return "infinity";
        if (micros == long.MinValue)
            return "-infinity";
        var (days, rest) = Split(micros);
        var time = TimeSpan
            .FromMicroseconds(rest)
            .ToString(rest % 1_000_000 == 0 ? @"hh\:mm\:ss" : @"hh\:mm\:ss\.ffffff", CultureInfo.InvariantCulture);
        return WithEra(days, " " + time);
    }

    /// <summary>
    /// ISO 8601 in UTC, such as <c>2026-01-31T08:00:00.000001Z</c>; years beyond four digits and before the year 0 with a sign.
    /// </summary>
    /// <param name="output">At least <see cref="LongestIso"/>.</param>
    /// <returns>How many bytes of it.</returns>
    public static int WriteIso(long micros, Span<byte> output)
    {
        if (micros is long.MaxValue or long.MinValue)
            return Encoding.UTF8.GetBytes(Timestamp(micros), output);
        var (days, rest) = Split(micros);
        var (year, month, day) = Civil(days + EpochJulianDay);
        var (seconds, fraction) = Math.DivRem(rest, 1_000_000);
        var at = 0;
        if (year is < 0 or > 9999)
            output[at++] = (byte)(year < 0 ? '-' : '+');
        Append(Math.Abs(year), 4, '-', output, ref at);
        Append(month, 2, '-', output, ref at);
        Append(day, 2, 'T', output, ref at);
        Append(seconds / 3_600, 2, ':', output, ref at);
        Append(seconds / 60 % 60, 2, ':', output, ref at);
        Append(seconds % 60, 2, '.', output, ref at);
        Append(fraction, 6, 'Z', output, ref at);
        return at;
    }

    public static string Date(int days) =>
        days switch
        {
            int.MaxValue => "infinity",
            int.MinValue => "-infinity",
            _ => WithEra(days, ""),
        };

    /// <summary>Days since 2000-01-01 of a Gregorian date, the year 0 being 1 BC; the inverse of <see cref="Civil"/>.</summary>
    public static long DaysOf(long year, int month, int day)
    {
        if (month <= 2)
            year--;
        var cycle = Math.DivRem(year, 400, out var yearOfCycle);
        if (yearOfCycle < 0)
            (cycle, yearOfCycle) = (cycle - 1, yearOfCycle + 400);
        var dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        return cycle * DaysPerCycle + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear + MarchOfYear0 - EpochJulianDay;
    }

    private static void Append(long number, byte digits, char behind, Span<byte> output, ref int at)
    {
        Utf8Formatter.TryFormat(number, output[at..], out var written, new StandardFormat('D', digits));
        at += written;
        output[at++] = (byte)behind;
    }

    private static (long Days, long Micros) Split(long micros)
    {
        var days = Math.DivRem(micros, MicrosPerDay, out var rest);
        return rest < 0 ? (days - 1, rest + MicrosPerDay) : (days, rest);
    }

    private static string WithEra(long days, string time)
    {
        var (year, month, day) = Civil(days + EpochJulianDay);
        var (shown, era) = year > 0 ? (year, "") : (1 - year, " BC");
        return string.Create(CultureInfo.InvariantCulture, $"{shown:D4}-{month:D2}-{day:D2}{time}{era}");
    }

    /// <summary>Gregorian date of a Julian day, by the 400-year cycle that starts on 1 March of the year 0.</summary>
    private static (long Year, int Month, int Day) Civil(long julianDay)
    {
        var cycle = Math.DivRem(julianDay - MarchOfYear0, DaysPerCycle, out var dayOfCycle);
        if (dayOfCycle < 0)
            (cycle, dayOfCycle) = (cycle - 1, dayOfCycle + DaysPerCycle);
        var yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365;
        var dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100);
        var monthFromMarch = (5 * dayOfYear + 2) / 153;
        var day = (int)(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1);
        var month = (int)(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9);
        return (yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, day);
    }
}
