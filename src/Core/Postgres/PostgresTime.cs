namespace Cdc.Core.Postgres;

/// <summary>PostgreSQL counts microseconds since 2000-01-01 UTC.</summary>
public static class PostgresTime
{
    /// <summary>Year 9000: what is below it is a time that .NET knows too.</summary>
    public const long EndMicros = 7_000L * 365 * 86_400 * 1_000_000;

    private static readonly DateTime Epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static DateTime FromMicros(long micros) => Epoch.AddTicks(micros * 10);

    public static long ToMicros(DateTime time) => (time.Ticks - Epoch.Ticks) / 10;
}
