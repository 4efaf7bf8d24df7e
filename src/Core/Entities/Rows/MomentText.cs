using System.Globalization;

namespace Cdc.Core.Entities.Rows;

/// <summary>PostgreSQL's dates and timestamps as ISO text. They reach from 4713 BC to the year 294276, far beyond DateTime.</summary>
internal static class MomentText
{
    private const long MicrosPerDay = 86_400_000_000;
    private const int EpochJulianDay = 2_451_545;

    public static string Timestamp(long micros)
    {
        if (micros == long.MaxValue) return "infinity";
        if (micros == long.MinValue) return "-infinity";
        var days = Math.DivRem(micros, MicrosPerDay, out var rest);
        if (rest < 0) (days, rest) = (days - 1, rest + MicrosPerDay);
        var time = TimeSpan.FromMicroseconds(rest).ToString(rest % 1_000_000 == 0 ? @"hh\:mm\:ss" : @"hh\:mm\:ss\.ffffff", CultureInfo.InvariantCulture);
        return WithEra(days, " " + time);
    }

    public static string Date(int days) => days switch
    {
        int.MaxValue => "infinity",
        int.MinValue => "-infinity",
        _ => WithEra(days, ""),
    };

    private static string WithEra(long days, string time)
    {
        var (year, month, day) = Civil(days + EpochJulianDay);
        var (shown, era) = year > 0 ? (year, "") : (1 - year, " BC");
        return string.Create(CultureInfo.InvariantCulture, $"{shown:D4}-{month:D2}-{day:D2}{time}{era}");
    }

    /// <summary>Gregorian date of a Julian day, by the 400-year cycle that starts on 1 March of the year 0.</summary>
    private static (long Year, int Month, int Day) Civil(long julianDay)
    {
        const int daysPerCycle = 146_097;
        var sinceMarchOfYear0 = julianDay - 1_721_120;
        var cycle = Math.DivRem(sinceMarchOfYear0, daysPerCycle, out var dayOfCycle);
        if (dayOfCycle < 0) (cycle, dayOfCycle) = (cycle - 1, dayOfCycle + daysPerCycle);
        var yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365;
        var dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100);
        var monthFromMarch = (5 * dayOfYear + 2) / 153;
        var day = (int)(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1);
        var month = (int)(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9);
        return (yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, day);
    }
}
