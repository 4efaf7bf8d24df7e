namespace Cdc.Bench.Measure;

/// <summary>From COMMIT in Odoo to a row that another session sees in the replica, order by order.</summary>
internal sealed class LatencyPart(BenchBed bed)
{
    private static readonly int[] Rates = [200, 1000];
    private readonly List<(int Rate, string Who, LatencyTimes Times)> _times = [];

    public async Task MeasureAsync(CancellationToken ct)
    {
        for (var round = 0; round < bed.Sizes.LatencyRounds; round++)
        {
            await bed.RestAsync(ct);
            foreach (var replica in bed.InTurn(round))
                await MeasureAsync(replica, round, ct);
        }
        foreach (var replica in bed.Replicas)
            await CatchUpAsync(replica, ct);
        Report();
    }

    private async Task MeasureAsync(IReplica replica, int round, CancellationToken ct)
    {
        await StartAsync(replica, ct);
        foreach (var rate in Rates)
        {
            var times = await RunAsync(replica, rate, ct);
            _times.Add((rate, replica.Name, times));
            var name = $"{round + 1}/{bed.Sizes.LatencyRounds}: {replica.Name}";
            bed.Progress.Say(
                $"latency {name} at {times.Rate:0} tx/s p50 {times.P50:0.00} ms, p99 {times.P99:0.0} ms, max {times.Max:0} ms"
            );
        }
        await replica.StopAsync(ct);
    }

    private async Task<LatencyTimes> RunAsync(IReplica replica, int rate, CancellationToken ct)
    {
        var warm = (int)(rate * bed.Sizes.LatencyWarmUp.TotalSeconds);
        var orders = warm + (int)(rate * bed.Sizes.LatencyDuration.TotalSeconds);
        var clock = new OrderClock(bed.Source.TakeHistory(orders), orders);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task[] both =
        [
            new VisibilityWatch(replica, clock).RunAsync(failed.Token),
            new OrderStream(bed.Source, clock, rate).RunAsync(failed.Token),
        ];
        var first = await Task.WhenAny(both);
        // What failed is thrown; the other would wait for it.
        if (!first.IsCompletedSuccessfully)
            await failed.CancelAsync();
        await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
        await Task.WhenAll(both);
        return LatencyTimes.Of(clock.Latencies(warm), clock.Rate(warm));
    }

    /// <summary>Returns when it streams and shows what was written while it was stopped, which is no latency.</summary>
    private async Task StartAsync(IReplica replica, CancellationToken ct)
    {
        await replica.StartAsync(ct);
        await bed.Source.UntilSlotAsync(replica.Slot, active: true, replica.ThrowIfEnded, ct);
        await using var probe = await Probe.OpenAsync(replica.Target, OrderBacklog.HasSql(replica, bed.Source.LastHistory), ct);
        await probe.UntilAsync<bool>(yes => yes, replica.ThrowIfEnded, ct);
    }

    private async Task CatchUpAsync(IReplica replica, CancellationToken ct)
    {
        await StartAsync(replica, ct);
        await replica.StopAsync(ct);
        await SameRows.CheckAsync(bed, replica, ct);
    }

    private void Report()
    {
        foreach (var group in _times.GroupBy(t => (t.Rate, t.Who)).OrderBy(g => g.Key.Rate))
        {
            var (rate, who) = group.Key;
            bed.Figures.AddMedian($"latency{rate}.p50_ms.{who}", group.Select(t => t.Times.P50), "ms");
            bed.Figures.AddMedian($"latency{rate}.p99_ms.{who}", group.Select(t => t.Times.P99), "ms");
            bed.Figures.AddMedian($"latency{rate}.max_ms.{who}", group.Select(t => t.Times.Max), "ms");
            bed.Figures.AddMedian($"latency{rate}.tx_per_s.{who}", group.Select(t => t.Times.Rate), "tx/s");
        }
    }
}

/// <param name="Rate">Orders a second that were really committed: below what was asked for, the machine could not do it.</param>
internal sealed record LatencyTimes(double P50, double P99, double Max, double Rate)
{
    /// <param name="sorted">Milliseconds.</param>
    public static LatencyTimes Of(double[] sorted, double rate) => new(At(sorted, 0.5), At(sorted, 0.99), sorted[^1], rate);

    /// <summary>The nearest rank.</summary>
    private static double At(double[] sorted, double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
}
