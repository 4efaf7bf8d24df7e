using System.Diagnostics;

namespace Cdc.Bench.Measure;

/// <param name="StartUp">From the command until a process streams from the slot.</param>
/// <param name="Taken">From there until the last row is visible.</param>
/// <param name="SteadyRate">Rows a second from the first fifth on: without caches and compilers that warm up.</param>
internal sealed record DrainTimes(long Rows, TimeSpan StartUp, TimeSpan Taken, double SteadyRate)
{
    public TimeSpan ProgramCpu { get; init; }
    public TimeSpan SourceCpu { get; init; }
    public TimeSpan EngineCpu { get; init; }

    public double Rate => Rows / Taken.TotalSeconds;

    /// <summary>Of all processes that take part.</summary>
    public TimeSpan Cpu => ProgramCpu + SourceCpu + EngineCpu;

    /// <summary>CPU seconds for a million rows.</summary>
    public double PerMillion(TimeSpan cpu) => cpu.TotalSeconds * 1e6 / Rows;
}

/// <summary>Lets one replica work off a backlog, alone, and stops it again.</summary>
internal sealed class Drain(BenchServers servers, OdooSource source)
{
    public async Task<DrainTimes> RunAsync(IReplica replica, Backlog backlog, CancellationToken ct)
    {
        await replica.Target.ExecuteAsync(ct, "CHECKPOINT");
        await using var warm = backlog.IsWarmSql(replica) is { } sql ? await Probe.OpenAsync(replica.Target, sql, ct) : null;
        await using var shown = await Probe.OpenAsync(replica.Target, backlog.IsShownSql(replica), ct);
        var asked = Stopwatch.GetTimestamp();
        await replica.StartAsync(ct);
        // The same beginning for everyone, whatever it does between that and its first row.
        var began = await source.UntilSlotAsync(replica.Slot, active: true, replica.ThrowIfEnded, ct);
        var before = Cpu(replica);
        var warmed = warm is null ? (long?)null : await warm.UntilAsync<bool>(yes => yes, replica.ThrowIfEnded, ct);
        var ended = await shown.UntilAsync<bool>(yes => yes, replica.ThrowIfEnded, ct);
        var after = Cpu(replica);
        await replica.StopAsync(ct);
        var steady = warmed is { } from
            ? backlog.Rows * (1 - Backlog.WarmShare) / Stopwatch.GetElapsedTime(from, ended).TotalSeconds
            : double.NaN;
        return new DrainTimes(backlog.Rows, Stopwatch.GetElapsedTime(asked, began), Stopwatch.GetElapsedTime(began, ended), steady)
        {
            ProgramCpu = after.Program - before.Program,
            SourceCpu = after.Source - before.Source,
            EngineCpu = after.Engine - before.Engine,
        };
    }

    private (TimeSpan Program, TimeSpan Source, TimeSpan Engine) Cpu(IReplica replica) =>
        (replica.ProgramCpu, servers.SourceCpu, servers.EngineCpu);
}
