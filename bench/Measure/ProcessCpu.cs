using System.Globalization;

namespace Cdc.Bench.Measure;

/// <summary>CPU time and memory of processes, as /proc has them (proc(5)).</summary>
internal static class ProcessCpu
{
    // USER_HZ, which the kernel has fixed at 100 for programs on every platform that .NET runs on.
    private const double TicksPerSecond = 100;
    private const int Parent = 1,
        UserTime = 11,
        SystemTime = 12,
        ReapedUserTime = 13,
        ReapedSystemTime = 14;

    /// <summary>Zero if there is no such process any more.</summary>
    public static TimeSpan Of(int pid) => Stat(pid) is { } stat ? Ticks(stat, UserTime, SystemTime) : TimeSpan.Zero;

    /// <summary>A postmaster, its live children, and those that have ended, which it has waited for.</summary>
    public static TimeSpan OfServer(int postmaster)
    {
        var total = Stat(postmaster) is { } own ? Ticks(own, UserTime, SystemTime, ReapedUserTime, ReapedSystemTime) : TimeSpan.Zero;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
            if (
                int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid)
                && Stat(pid) is { } stat
                && Number(stat, Parent) == postmaster
            )
                total += Ticks(stat, UserTime, SystemTime);
        return total;
    }

    /// <summary>The most memory the process ever had in use, in bytes (VmHWM); 0 if there is no such process any more.</summary>
    public static long PeakMemory(int pid) => Bytes(pid, "VmHWM:");

    /// <summary>What it has in use now (VmRSS).</summary>
    public static long Memory(int pid) => Bytes(pid, "VmRSS:");

    private static long Bytes(int pid, string field)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal));
            return line is null
                ? 0
                : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>The fields behind the program's name, which may itself hold blanks and parentheses.</summary>
    private static string[]? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static TimeSpan Ticks(string[] stat, params ReadOnlySpan<int> fields)
    {
        var ticks = 0L;
        foreach (var field in fields)
            ticks += Number(stat, field);
        return TimeSpan.FromSeconds(ticks / TicksPerSecond);
    }

    private static long Number(string[] stat, int field) => long.Parse(stat[field], CultureInfo.InvariantCulture);
}
