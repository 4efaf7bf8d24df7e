namespace Cdc.Bench.Measure;

/// <summary>Memory where there is much of everything: a transaction of 5 million rows, and a restart with 2 million rows waiting.</summary>
internal sealed class LongRun(BenchBed bed)
{
    private const int HugeRows = 5_000_000;
    private const int BacklogRows = 2_000_000;

    public async Task MeasureAsync(CancellationToken ct)
    {
        bed.Progress.Say($"loading");
        await bed.Cdc.LoadAsync(ct);
        await bed.Cdc.StopAsync(ct);
        bed.Figures.Add("rss.load_mib", bed.Cdc.LastPeakMemory / (double)(1 << 20), "MiB");
        // A separate process, or the load's memory would count as the transaction's.
        await bed.Cdc.StartAsync(ct);
        await bed.Source.UntilSlotAsync(bed.Cdc.Slot, active: true, bed.Cdc.ThrowIfEnded, ct);
        bed.Progress.Say($"one transaction of {HugeRows:#,0} rows, while cdc runs");
        await ShownAsync(await bed.Source.WriteHugeAsync(HugeRows, ct), "rss.tx5m_mib", ct);
        bed.Progress.Say($"{BacklogRows:#,0} rows of orders, while cdc is stopped");
        var backlog = await bed.Source.WriteOrdersAsync(BacklogRows / 2, ct);
        await bed.Cdc.StartAsync(ct);
        await ShownAsync(backlog, "rss.backlog2m_mib", ct);
    }

    private async Task ShownAsync(Backlog backlog, string figure, CancellationToken ct)
    {
        bed.Progress.Say($"written; waiting until the engine shows it");
        await using var shown = await Probe.OpenAsync(bed.Cdc.Target, backlog.IsShownSql(bed.Cdc), ct);
        await shown.UntilAsync<bool>(yes => yes, bed.Cdc.ThrowIfEnded, ct);
        await bed.Cdc.StopAsync(ct);
        await SameRows.CheckAsync(bed, bed.Cdc, ct);
        bed.Figures.Add(figure, bed.Cdc.LastPeakMemory / (double)(1 << 20), "MiB");
    }
}
