namespace Cdc.Bench.Measure;

/// <summary>The initial load of cards and history into an empty database.</summary>
internal sealed class LoadPart(BenchBed bed)
{
    private readonly Dictionary<IReplica, List<LoadTimes>> _times = bed.Replicas.ToDictionary(r => r, _ => new List<LoadTimes>());

    private long Rows => bed.Sizes.Cards + bed.Sizes.History;

    public async Task MeasureAsync(CancellationToken ct)
    {
        for (var round = 0; round < bed.Sizes.Rounds; round++)
            foreach (var replica in bed.InTurn(round))
                await LoadAsync(replica, $"load {round + 1}/{bed.Sizes.Rounds}", ct);
        Report();
    }

    /// <summary>What the other parts start from, when this one is not asked for.</summary>
    public async Task PrepareAsync(CancellationToken ct)
    {
        foreach (var replica in bed.Replicas)
            await LoadAsync(replica, "loading, not measured", ct);
    }

    private async Task LoadAsync(IReplica replica, string what, CancellationToken ct)
    {
        var times = await replica.LoadAsync(ct);
        await replica.StopAsync(ct);
        await SameRows.CheckAsync(bed, replica, ct);
        _times[replica].Add(times);
        bed.Progress.Say($"{what}: {replica.Name} {Rate(times):#,0} rows/s");
    }

    private void Report()
    {
        var ratios = _times[bed.Cdc].Zip(_times[bed.Native], (cdc, native) => Rate(cdc) / Rate(native));
        foreach (var replica in bed.Replicas)
            bed.Figures.AddMedian($"load.rows_per_s.{replica.Name}", _times[replica].Select(Rate), "rows/s");
        bed.Figures.AddMedian("load.ratio", ratios, "x");
        foreach (var replica in bed.Replicas)
            bed.Figures.AddMedian($"load.startup_s.{replica.Name}", _times[replica].Select(t => t.StartUp.TotalSeconds), "s");
    }

    private double Rate(LoadTimes times) => Rows / times.Load.TotalSeconds;
}
