namespace Cdc.Api.Page;

/// <summary>Latencies since it was last asked.</summary>
internal sealed class LatencyWindow
{
    /// <summary>Batches between two points; of more than that the first count.</summary>
    private const int Most = 8_192;

    private readonly Lock _lock = new();
    private List<double> _seconds = [];

    public void Add(double seconds)
    {
        lock (_lock)
            if (_seconds.Count < Most)
                _seconds.Add(seconds);
    }

    /// <summary>Median and 99th percentile by nearest rank; null: there were none.</summary>
    public (double? P50, double? P99) Take()
    {
        List<double> taken;
        lock (_lock)
            (taken, _seconds) = (_seconds, []);
        if (taken.Count == 0)
            return (null, null);
        taken.Sort();
        return (At(0.5), At(0.99));

        double At(double share) => Math.Round(taken[Math.Max(0, (int)Math.Ceiling(share * taken.Count) - 1)], 6);
    }
}
