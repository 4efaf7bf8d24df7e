using System.Globalization;
using System.Text.RegularExpressions;
using Cdc.Testing.Processes;

namespace Cdc.Bench.Api;

/// <summary>A third-party load generator: a check of the maximum. Only where it is installed.</summary>
internal sealed partial class Wrk(IReadOnlyList<string> codes)
{
    private const string Program = "/usr/bin/wrk";

    public static bool IsThere => File.Exists(Program);

    /// <returns>Requests a second.</returns>
    public async Task<double> RunAsync(Uri server, TimeSpan duration, CancellationToken ct)
    {
        var script = Path.Combine(Path.GetTempPath(), $"cdc-wrk-{Guid.NewGuid():N}.lua");
        var list = string.Join(',', codes.Take(20_000).Select(c => $"\"{c}\""));
        await File.WriteAllTextAsync(
            script,
            $"local codes = {{{list}}}\nrequest = function() return wrk.format(nil, '/cards/' .. codes[math.random(#codes)] .. "
                + "'/balance') end\n",
            ct
        );
        try
        {
            await using var process = await WatchedProcess.StartAsync(
                new WatchedCommand(
                    Program,
                    "-t1",
                    "-c32",
                    string.Create(CultureInfo.InvariantCulture, $"-d{duration.TotalSeconds:0}s"),
                    "-s",
                    script,
                    server.ToString()
                ),
                ct
            );
            if (await process.WaitAsync(ct) != 0 || process.Tail.Contains("Non-2xx", StringComparison.Ordinal))
                throw new InvalidOperationException($"wrk failed: {process.Tail}");
            return double.Parse(Rate().Match(process.Tail).Groups[1].Value, CultureInfo.InvariantCulture);
        }
        finally
        {
            File.Delete(script);
        }
    }

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex Rate();
}
