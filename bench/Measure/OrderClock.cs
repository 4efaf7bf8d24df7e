using System.Diagnostics;

namespace Cdc.Bench.Measure;

/// <summary>
/// When each order of a run was committed in Odoo and when it was first seen in the replica, by the one clock of this machine.
/// </summary>
internal sealed class OrderClock(int firstHistory, int orders)
{
    private readonly long[] _committed = new long[orders];
    private readonly long[] _visible = new long[orders];

    public int FirstHistory => firstHistory;
    public int Orders => orders;

    /// <summary>COMMIT has returned.</summary>
    public void Committed(int order) => _committed[order] = Stopwatch.GetTimestamp();

    /// <summary>Everything up to and without it has been seen; what is above it may have been.</summary>
    public int SeenBelow { get; private set; }

    /// <summary>Commits of several sessions are not in the order of their ids: each is noted by itself.</summary>
    public void Visible(int order, long at)
    {
        if (_visible[order] == 0)
            _visible[order] = at;
        while (SeenBelow < orders && _visible[SeenBelow] != 0)
            SeenBelow++;
    }

    /// <summary>
    /// Milliseconds from commit to visible, sorted, of the orders from <paramref name="from"/> on. A walsender sends flushed WAL, which may
    /// be visible before COMMIT returns: 0.
    /// </summary>
    public double[] Latencies(int from)
    {
        var latencies = new double[orders - from];
        for (var order = from; order < orders; order++)
            latencies[order - from] = Math.Max(0, (_visible[order] - _committed[order]) * 1e3 / Stopwatch.Frequency);
        Array.Sort(latencies);
        return latencies;
    }

    /// <summary>Orders a second that were really committed, from <paramref name="from"/> on.</summary>
    public double Rate(int from) => (orders - from - 1) / Stopwatch.GetElapsedTime(_committed[from], _committed[from..].Max()).TotalSeconds;
}
