namespace Cdc.Bench.Measure;

/// <summary>A backlog that was written while nothing streamed, drained by native, by cdc and raw, one after the other.</summary>
/// <param name="programCpu">The figure that cdc's own CPU goes into.</param>
internal sealed class DrainPart(BenchBed bed, string name, string programCpu, Func<CancellationToken, Task<Backlog>> write)
{
    private readonly Drain _drain = new(bed.Servers, bed.Source);
    private readonly RawDrain _raw = new(bed.Servers, bed.Source);
    private readonly Dictionary<string, List<DrainTimes>> _times = new()
    {
        ["native"] = [],
        ["cdc"] = [],
        ["raw"] = [],
    };

    public async Task MeasureAsync(CancellationToken ct)
    {
        await _raw.EnsureSlotAsync(ct);
        for (var round = 0; round < bed.Sizes.Rounds; round++)
            await RoundAsync(round, ct);
        foreach (var replica in bed.Replicas)
            await SameRows.CheckAsync(bed, replica, ct);
        Report();
    }

    private async Task RoundAsync(int round, CancellationToken ct)
    {
        await bed.RestAsync(ct);
        var backlog = await write(ct);
        bed.Progress.Say($"{name} {round + 1}/{bed.Sizes.Rounds}: {backlog.Rows:#,0} rows written");
        foreach (var replica in bed.InTurn(round))
            Add(replica.Name, await _drain.RunAsync(replica, backlog, ct), round);
        Add("raw", await _raw.DrainAsync(backlog, ct), round);
    }

    private void Add(string who, DrainTimes times, int round)
    {
        _times[who].Add(times);
        bed.Progress.Say($"{name} {round + 1}/{bed.Sizes.Rounds}: {who} {times.Rate:#,0} rows/s");
    }

    private void Report()
    {
        foreach (var (who, times) in _times)
            bed.Figures.AddMedian($"{name}.rows_per_s.{who}", times.Select(t => t.Rate), "rows/s");
        Ratio("ratio", "native", t => t.Rate);
        Ratio("drain_ratio", "raw", t => t.Rate);
        Ratio("steady_ratio", "native", t => t.SteadyRate);
        // The other way round, so that more is better here too; and it hardly depends on who else works on this machine.
        Ratio("cpu.ratio", "native", t => 1 / t.PerMillion(t.Cpu));
        foreach (var (who, times) in _times)
        {
            bed.Figures.AddMedian($"{name}.cpu.source_s_per_mrow.{who}", times.Select(t => t.PerMillion(t.SourceCpu)), "s");
            if (who == "raw")
                continue;
            bed.Figures.AddMedian($"{name}.cpu.engine_s_per_mrow.{who}", times.Select(t => t.PerMillion(t.EngineCpu)), "s");
            bed.Figures.AddMedian($"{name}.startup_s.{who}", times.Select(t => t.StartUp.TotalSeconds), "s");
        }
        bed.Figures.AddMedian(programCpu, _times["cdc"].Select(t => t.PerMillion(t.ProgramCpu)), "s");
    }

    /// <summary>Of the two in the same round: the machine's mood changes between rounds.</summary>
    private void Ratio(string figure, string against, Func<DrainTimes, double> rate) =>
        bed.Figures.AddMedian($"{name}.{figure}", _times["cdc"].Zip(_times[against], (cdc, other) => rate(cdc) / rate(other)), "x");
}
