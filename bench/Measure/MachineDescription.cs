using System.Globalization;
using System.Runtime.InteropServices;

namespace Cdc.Bench.Measure;

/// <summary>On what, and beside what, it was measured.</summary>
/// <param name="Memory">Bytes.</param>
/// <param name="LoadAverage">Of the last minute, before the first and after the last measurement: above the number of cores, other programs
/// were running.</param>
internal sealed record MachineDescription(
    int Cores,
    long Memory,
    string Os,
    string Postgres,
    string Dotnet,
    IReadOnlyList<double> LoadAverage
)
{
    public static async Task<MachineDescription> ReadAsync(BenchDatabase database, double loadBefore, CancellationToken ct) =>
        new(
            Environment.ProcessorCount,
            TotalMemory(),
            $"{Distribution()}, kernel {Environment.OSVersion.Version}",
            await database.ScalarAsync<string>("SELECT current_setting('server_version')", ct),
            RuntimeInformation.FrameworkDescription,
            [loadBefore, Load()]
        );

    /// <summary>Processes that wanted a core in the last minute, on average.</summary>
    public static double Load() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    private static long TotalMemory()
    {
        var line = File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemTotal:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    private static string Distribution()
    {
        const string file = "/etc/os-release",
            name = "PRETTY_NAME=";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) : null;
        return line?[name.Length..].Trim('"') ?? "Linux";
    }
}
