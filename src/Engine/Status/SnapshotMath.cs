using Cdc.Core.Operations;

namespace Cdc.Engine.Status;

/// <summary>Counts of some chunks that belong together.</summary>
/// <param name="RecentRows">Rows of chunks that ended in the window.</param>
/// <param name="WindowSeconds">Length of the window, or the age of the work if that is less.</param>
internal sealed record ChunkCounts(long Pending, long Done, long Rows, long RecentRows, double WindowSeconds);

/// <summary>How far a snapshot is, and when it will be done.</summary>
internal static class SnapshotMath
{
    /// <param name="estimatedRows">0 or less: not known.</param>
    public static SnapshotStatus Of(ChunkCounts counts, long estimatedRows)
    {
        long? total = estimatedRows > 0 ? Math.Max(estimatedRows, counts.Rows) : null;
        double? rate =
            counts.Pending > 0 && counts.RecentRows > 0 && counts.WindowSeconds > 0 ? counts.RecentRows / counts.WindowSeconds : null;
        return new SnapshotStatus(
            counts.Pending > 0,
            counts.Done,
            counts.Done + counts.Pending,
            counts.Rows,
            total,
            Percent(counts, total),
            rate,
            total is not null && rate is not null ? (total - counts.Rows) / rate : null
        );
    }

    /// <summary>An estimate may be short: 100 is said only when no chunk is left.</summary>
    private static double? Percent(ChunkCounts counts, long? total)
    {
        if (counts.Pending == 0)
            return counts.Done > 0 ? 100 : null;
        var share = total is { } rows ? (double)counts.Rows / rows : (double)counts.Done / (counts.Done + counts.Pending);
        return Math.Min(99.9, share * 100);
    }
}
