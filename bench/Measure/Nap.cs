using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Cdc.Bench.Measure;

/// <summary>Sleeps of a fraction of a millisecond, which .NET's timers do not have.</summary>
internal static partial class Nap
{
    private const double LongestMicroseconds = 500_000;

    /// <param name="moment">Of <see cref="Stopwatch.GetTimestamp"/>; returns at once when it is over.</param>
    public static void Until(long moment)
    {
        while ((moment - Stopwatch.GetTimestamp()) * 1e6 / Stopwatch.Frequency is var left && left > 0)
            For((uint)Math.Clamp(left, 1, LongestMicroseconds));
    }

    public static void For(uint microseconds) => _ = Sleep(microseconds);

    // usleep(3); an early return by a signal does no harm here.
    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int Sleep(uint microseconds);
}
