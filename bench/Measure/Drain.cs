using System.Diagnostics;

namespace Cdc.Bench.Measure;

/// <param name="StartUp">From the command until somebody streams from the slot.</param>
/// <param name="Taken">From there until the last row is visible.</param>
/// <param name="SteadyRate">Rows a second from the first fifth on: without caches and compilers that warm up.</param>
internal sealed record DrainTimes(long Rows, TimeSpan StartUp, TimeSpan Taken, double SteadyRate)
{
    public TimeSpan ProgramCpu { get; init; }
    public TimeSpan SourceCpu { get; init; }
    public TimeSpan EngineCpu { get; init; }

    public double Rate => Rows / Taken.TotalSeconds;

    /// <summary>CPU seconds for a million rows.</summary>
    public double PerMillion(TimeSpan cpu) => cpu.TotalSeconds * 1e6 / Rows;
}

/// <summary>Lets one replica work off a backlog, alone, and stops it again.</summary>
internal sealed class Drain(BenchServers servers, OdooSource source)
{
    private const double WarmShare = 0.2;

    public async Task<DrainTimes> RunAsync(IReplica replica, Backlog backlog, CancellationToken ct)
    {
        await replica.Target.ExecuteAsync(ct, "CHECKPOINT");
        await using var share = await Probe.OpenAsync(replica.Target, backlog.ShareSql(replica), ct);
        var asked = Stopwatch.GetTimestamp();
        await replica.StartAsync(ct);
        // The same beginning for everyone, whatever it does between that and its first row.
        var began = await source.UntilSlotAsync(replica.Slot, active: true, replica.ThrowIfEnded, ct);
        var before = Cpu(replica);
        var warmShare = 0.0;
        var warm = await share.UntilAsync<double>(s => (warmShare = s) >= WarmShare, replica.ThrowIfEnded, ct);
        var ended = await share.UntilAsync<double>(s => s >= 1, replica.ThrowIfEnded, ct);
        var after = Cpu(replica);
        await replica.StopAsync(ct);
        var steady = warmShare < 1 ? backlog.Rows * (1 - warmShare) / Stopwatch.GetElapsedTime(warm, ended).TotalSeconds : double.NaN;
        return new DrainTimes(backlog.Rows, Stopwatch.GetElapsedTime(asked, began), Stopwatch.GetElapsedTime(began, ended), steady)
        {
            ProgramCpu = after.Program - before.Program, SourceCpu = after.Source - before.Source, EngineCpu = after.Engine - before.Engine,
        };
    }

    private (TimeSpan Program, TimeSpan Source, TimeSpan Engine) Cpu(IReplica replica) => (replica.ProgramCpu, servers.SourceCpu, servers.EngineCpu);
}
