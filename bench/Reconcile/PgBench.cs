using System.Globalization;
using System.Text.RegularExpressions;
using Cdc.Bench.Measure;
using Cdc.Testing.Processes;

namespace Cdc.Bench.Reconcile;

/// <summary>pgbench's own transactions in a separate database on Odoo's server.</summary>
internal sealed partial class PgBench(BenchServers servers)
{
    private const string Database = "pgbench";

    public async Task PrepareAsync(CancellationToken ct)
    {
        await servers.Odoo.ExecuteAsync(ct, $"CREATE DATABASE {Database}");
        await RunAsync(["--initialize", "--scale=20", "--quiet"], ct);
    }

    /// <returns>Transactions a second.</returns>
    public async Task<double> RunAsync(TimeSpan time, CancellationToken ct)
    {
        var output = await RunAsync(
            ["--client=4", "--jobs=1", string.Create(CultureInfo.InvariantCulture, $"--time={time.TotalSeconds:0}"), "--no-vacuum"],
            ct
        );
        return double.Parse(Rate().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private async Task<string> RunAsync(IReadOnlyList<string> options, CancellationToken ct)
    {
        var port = servers.SourcePort.ToString(CultureInfo.InvariantCulture);
        await using var process = await WatchedProcess.StartAsync(
            new WatchedCommand(
                Path.Combine(servers.Binaries, "pgbench"),
                [.. options, "--host=127.0.0.1", $"--port={port}", "--username=postgres", Database]
            ),
            ct
        );
        return await process.WaitAsync(ct) == 0 ? process.Tail : throw new InvalidOperationException($"pgbench failed: {process.Tail}");
    }

    [GeneratedRegex(@"tps = ([0-9.]+)")]
    private static partial Regex Rate();
}
