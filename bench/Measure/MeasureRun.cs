using Cdc.Bench.Api;
using Cdc.Bench.Kafka;
using Cdc.Bench.Reconcile;

namespace Cdc.Bench.Measure;

/// <summary>The parts that were asked for, one after the other.</summary>
internal sealed class MeasureRun(MeasureOptions options)
{
    public async Task RunAsync(CancellationToken ct)
    {
        var loadBefore = MachineDescription.Load();
        var figures = new Figures(Console.Out, options.Kafka ? "kafka." : "");
        if (options.Parts == Parts.Reconcile)
        {
            await ReconcileAsync(figures, loadBefore, ct);
            return;
        }
        if (options.Parts == Parts.Api)
        {
            await ApiAsync(figures, loadBefore, ct);
            return;
        }
        await using var bed = await BenchBed.StartAsync(options, new Progress(Console.Error), figures, ct);
        if (options.Parts == Parts.Long)
            await new LongRun(bed).MeasureAsync(ct);
        else
            await MeasureAsync(bed, ct);
        figures.Add("rss.peak_mib", MiB(bed.Cdc.PeakMemory), "MiB");
        await WriteAsync(figures, bed.Servers, loadBefore, ct);
    }

    private async Task ReconcileAsync(Figures figures, double loadBefore, CancellationToken ct)
    {
        await using var bench = await ReconcileBench.StartAsync(options.Sizes, new Progress(Console.Error), figures, ct);
        await bench.MeasureAsync(ct);
        await WriteAsync(figures, bench.Servers, loadBefore, ct);
    }

    private async Task ApiAsync(Figures figures, double loadBefore, CancellationToken ct)
    {
        await using var bench = await ApiBench.StartAsync(options.Sizes, new Progress(Console.Error), figures, ct);
        await bench.MeasureAsync(ct);
        await WriteAsync(figures, bench.Servers, loadBefore, ct);
    }

    private async Task WriteAsync(Figures figures, BenchServers servers, double loadBefore, CancellationToken ct)
    {
        var machine = await MachineDescription.ReadAsync(servers.EngineAdmin, loadBefore, ct);
        figures.Add("machine.load_average", machine.LoadAverage.Average(), "processes");
        if (options.Out is { } file)
            await figures.WriteAsync(file.FullName, machine, ct);
    }

    private async Task MeasureAsync(BenchBed bed, CancellationToken ct)
    {
        var load = new LoadPart(bed);
        // The other parts start from what it leaves behind.
        if (!options.Parts.HasFlag(Parts.Load))
            await load.PrepareAsync(ct);
        bed.Cdc.TakePeakMemory();
        (Parts Part, Func<CancellationToken, Task> MeasureAsync)[] parts =
        [
            (Parts.Load, load.MeasureAsync),
            (
                Parts.Backlog,
                new DrainPart(
                    bed,
                    "backlog",
                    "cpu.s_per_mrow.cdc",
                    c => bed.Source.WriteOrdersAsync(bed.Sizes.BacklogTransactions, c)
                ).MeasureAsync
            ),
            (Parts.Bulk, new DrainPart(bed, "bulk", "bulk.cpu.program_s_per_mrow.cdc", bed.Source.WriteBulkAsync).MeasureAsync),
            (Parts.Latency, new LatencyPart(bed).MeasureAsync),
            (Parts.Stages, new StagesPart(bed).MeasureAsync),
        ];
        foreach (var (part, measureAsync) in parts.Where(p => options.Parts.HasFlag(p.Part)))
        {
            await measureAsync(ct);
            bed.Figures.Add($"rss.{part.ToString().ToLowerInvariant()}_mib", MiB(bed.Cdc.TakePeakMemory()), "MiB");
        }
    }

    private static double MiB(long bytes) => bytes / (double)(1 << 20);
}
