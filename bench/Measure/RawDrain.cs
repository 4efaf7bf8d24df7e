using System.Diagnostics;
using System.Globalization;
using Cdc.Testing.Processes;

namespace Cdc.Bench.Measure;

/// <summary>
/// pg_recvlogical over TCP into /dev/null, from a separate slot that holds the same changes, with the options that cdc streams with: how
/// fast the walsender is when the rows are discarded.
/// </summary>
internal sealed class RawDrain(BenchServers servers, OdooSource source)
{
    private const string Slot = "bench_raw";

    /// <summary>Before the changes are written, and after cdc has made its publication.</summary>
    public async Task EnsureSlotAsync(CancellationToken ct)
    {
        if (await source.HasSlotAsync(Slot, ct))
            return;
        await source.Database.ExecuteAsync(ct, $"SELECT pg_create_logical_replication_slot('{Slot}', 'pgoutput')");
    }

    public async Task<DrainTimes> DrainAsync(Backlog backlog, CancellationToken ct)
    {
        await using var process = await WatchedProcess.StartAsync(Command(backlog.End), ct);
        var asked = Stopwatch.GetTimestamp();
        var began = await source.UntilSlotAsync(Slot, active: true, () => ThrowIfEnded(process), ct);
        var before = servers.SourceCpu;
        if (await process.WaitAsync(ct) != 0)
            ThrowIfEnded(process);
        var taken = Stopwatch.GetElapsedTime(began);
        return new DrainTimes(backlog.Rows, Stopwatch.GetElapsedTime(asked, began), taken, backlog.Rows / taken.TotalSeconds)
        {
            SourceCpu = servers.SourceCpu - before,
        };
    }

    private WatchedCommand Command(string end) =>
        new(
            Path.Combine(servers.Binaries, "pg_recvlogical"),
            [
                "--host=127.0.0.1",
                $"--port={servers.SourcePort.ToString(CultureInfo.InvariantCulture)}",
                "--username=postgres",
                "--dbname=odoo",
                $"--slot={Slot}",
                "--start",
                "--file=/dev/null",
                $"--endpos={end}",
                "--no-loop",
                "--option=proto_version=1",
                $"--option=publication_names={CdcReplica.Publication}",
                "--option=messages=true",
                "--option=binary=true",
            ]
        );

    private static void ThrowIfEnded(WatchedProcess process)
    {
        if (process.HasExited && process.ExitCode != 0)
            throw new InvalidOperationException($"pg_recvlogical ended with exit code {process.ExitCode}: {process.Tail}");
    }
}
