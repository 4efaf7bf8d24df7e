namespace Cdc.Log.Records.Columns;

/// <summary>
/// PostgreSQL counts from 2000, topics from 1970. What has no form there becomes an end of a range that all readers have (false), and the
/// exact value has to be said elsewhere.
/// </summary>
internal static class UnixTime
{
    public const int Days = 10_957;
    public const long Micros = Days * 86_400_000_000L;

    /// <summary>
    /// PostgreSQL's first and last day (4714-11-24 BC, 5874897-12-31): a database takes them. The ends of int are days that none has.
    /// </summary>
    private const int FirstDay = -2_440_588,
        LastDay = 2_145_042_905;

    /// <summary>
    /// 0001-01-01 and the last microsecond of 9999. Microseconds could reach 294247; but that is a moment to few readers: .NET's wraps
    /// around to 1969 without an error, Python's fails.
    /// </summary>
    private const long FirstMoment = -62_135_596_800_000_000,
        LastMoment = 253_402_300_799_999_999;

    /// <summary>
    /// Microseconds since 1970. False for PostgreSQL's infinities, and for its last thirty years (294247 to 294276), which do not fit.
    /// </summary>
    public static bool TryFromPostgres(long micros, out long unix)
    {
        var fits = micros is not long.MinValue and < long.MaxValue - Micros;
        unix =
            fits ? micros + Micros
            : micros < 0 ? FirstMoment
            : LastMoment;
        return fits;
    }

    /// <summary>Milliseconds since 1970, rounded down. False for infinities, and where microseconds are lost.</summary>
    public static bool TryMillisFromPostgres(long micros, out long unix)
    {
        if (micros is long.MinValue or long.MaxValue)
        {
            unix = FloorToMillis(micros < 0 ? FirstMoment : LastMoment);
            return false;
        }
        unix = FloorToMillis(micros) + Micros / 1_000;
        return micros % 1_000 == 0;
    }

    /// <summary>Days since 1970. False for PostgreSQL's infinities.</summary>
    public static bool TryFromPostgres(int days, out int unix)
    {
        var isFinite = days is not (int.MinValue or int.MaxValue);
        unix =
            isFinite ? days + Days
            : days < 0 ? FirstDay
            : LastDay;
        return isFinite;
    }

    /// <summary>The ends of the range are the infinities, where nothing else was said; so is what PostgreSQL has no value for.</summary>
    public static long ToPostgres(long unix) =>
        unix switch
        {
            long.MaxValue => long.MaxValue,
            < long.MinValue + Micros => long.MinValue,
            _ => unix - Micros,
        };

    /// <exception cref="OverflowException">A moment beyond PostgreSQL's.</exception>
    public static long MillisToPostgres(long unix) => checked((unix - Micros / 1_000) * 1_000);

    /// <inheritdoc cref="ToPostgres(long)"/>
    public static int ToPostgres(int unix) =>
        unix switch
        {
            int.MaxValue => int.MaxValue,
            < int.MinValue + Days => int.MinValue,
            _ => unix - Days,
        };

    private static long FloorToMillis(long micros) => micros >= 0 ? micros / 1_000 : -((999 - micros) / 1_000);
}
