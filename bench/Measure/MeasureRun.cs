namespace Cdc.Bench.Measure;

/// <summary>The parts that were asked for, one after the other.</summary>
internal sealed class MeasureRun(MeasureOptions options)
{
    public async Task RunAsync(CancellationToken ct)
    {
        var loadBefore = MachineDescription.Load();
        var figures = new Figures(Console.Out);
        await using var bed = await BenchBed.StartAsync(options, new Progress(Console.Error), figures, ct);
        foreach (var part in PartsOf(bed)) await part(ct);
        figures.Add("rss.peak_mib", bed.Cdc.PeakMemory / (double)(1 << 20), "MiB");
        var machine = await MachineDescription.ReadAsync(bed.Servers.EngineAdmin, loadBefore, ct);
        figures.Add("machine.load_average", machine.LoadAverage.Average(), "processes");
        if (options.Out is { } file) await figures.WriteAsync(file.FullName, machine, ct);
    }

    private IEnumerable<Func<CancellationToken, Task>> PartsOf(BenchBed bed)
    {
        if (options.Parts == Parts.Long)
        {
            yield return new LongRun(bed).MeasureAsync;
            yield break;
        }
        var load = new LoadPart(bed);
        yield return options.Parts.HasFlag(Parts.Load) ? load.MeasureAsync : load.PrepareAsync;
        if (options.Parts.HasFlag(Parts.Backlog))
            yield return new DrainPart(bed, "backlog", "cpu.s_per_mrow.cdc", ct => bed.Source.WriteOrdersAsync(bed.Sizes.BacklogTransactions, ct)).MeasureAsync;
        if (options.Parts.HasFlag(Parts.Bulk)) yield return new DrainPart(bed, "bulk", "bulk.cpu.program_s_per_mrow.cdc", bed.Source.WriteBulkAsync).MeasureAsync;
        if (options.Parts.HasFlag(Parts.Latency)) yield return new LatencyPart(bed).MeasureAsync;
    }
}
