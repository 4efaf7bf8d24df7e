namespace Cdc.Log.Records.Columns;

/// <summary>PostgreSQL counts from 2000, topics from 1970.</summary>
internal static class UnixTime
{
    public const int Days = 10_957;
    public const long Micros = Days * 86_400_000_000L;

    /// <summary>
    /// Microseconds since 1970. PostgreSQL's infinities, and its last thirty years (294247 to 294276), which do not fit, become the ends of
    /// the range: false, and the exact value has to be said elsewhere.
    /// </summary>
    public static bool TryFromPostgres(long micros, out long unix)
    {
        unix =
            micros > long.MaxValue - Micros ? long.MaxValue
            : micros == long.MinValue ? long.MinValue
            : micros + Micros;
        return unix is not (long.MaxValue or long.MinValue);
    }

    /// <inheritdoc cref="TryFromPostgres(long, out long)"/>
    public static bool TryFromPostgres(int days, out int unix)
    {
        unix =
            days > int.MaxValue - Days ? int.MaxValue
            : days == int.MinValue ? int.MinValue
            : days + Days;
        return unix is not (int.MaxValue or int.MinValue);
    }

    /// <summary>The ends of the range are the infinities, where nothing else was said; so is what PostgreSQL has no value for.</summary>
    public static long ToPostgres(long unix) =>
        unix switch
        {
            long.MaxValue => long.MaxValue,
            < long.MinValue + Micros => long.MinValue,
            _ => unix - Micros,
        };

    /// <inheritdoc cref="ToPostgres(long)"/>
    public static int ToPostgres(int unix) =>
        unix switch
        {
            int.MaxValue => int.MaxValue,
            < int.MinValue + Days => int.MinValue,
            _ => unix - Days,
        };
}
