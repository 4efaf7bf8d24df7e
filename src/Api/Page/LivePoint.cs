using Cdc.Api.Operations;
using Cdc.Core.Operations;

namespace Cdc.Api.Page;

/// <summary>One moment in the page's charts.</summary>
/// <param name="At">Unix time in milliseconds.</param>
/// <param name="Lag">Seconds, for each topic of <see cref="LiveState.Topics"/>; null where it is not known.</param>
/// <param name="Rows">Row changes applied a second; null: not known.</param>
/// <param name="P50">Seconds from commit to visible of the batches since the point before, the median; null: there were none, or they are
/// another process's.</param>
/// <param name="P99">The same, at the 99th percentile.</param>
internal sealed record LivePoint(long At, IReadOnlyList<double?> Lag, double? Rows, double? P50, double? P99);

/// <summary>All else that the page shows, as of the newest point.</summary>
/// <param name="Topics">The largest lag of their partitions is what a point has.</param>
/// <param name="Marks">Differs from the one before where a list on the page must be read again.</param>
/// <param name="Consistency">Of all entities as far as is known now: 1 - drift / compared; null: not known.</param>
/// <param name="Verdict">What that means; null: nothing was ever compared, or it is not known.</param>
/// <param name="OpenDrift">Differences that no later run has found gone; null: the engine cannot be read.</param>
internal sealed record LiveState(
    string Version,
    HealthView Health,
    StatusReport Status,
    LagView Lag,
    IReadOnlyList<string> Topics,
    LiveMarks Marks,
    double? Consistency,
    long? OpenDrift,
    LiveVerdict? Verdict
);

/// <param name="Word">consistent, drift, inconclusive.</param>
/// <param name="LeftOut">What is not compared, for people; null: nothing.</param>
internal sealed record LiveVerdict(string Word, long Drift, long NotCompared, string? LeftOut);

/// <param name="Quarantine">Changes with every entry, attempt and request; null: the engine cannot be read.</param>
/// <param name="Runs">Changes with every run that ends, and with drift that one finds or finds gone; empty: none was ever done; null: the
/// engine cannot be read.</param>
/// <param name="Flags">Changes with every flag; null: they were never read.</param>
internal sealed record LiveMarks(string? Quarantine, string? Runs, string? Flags);

/// <summary>What one event carries.</summary>
/// <param name="Reset">What the page has before these points is of another process, or too old: it begins anew.</param>
internal sealed record LiveTick(bool Reset, IReadOnlyList<LivePoint> Points, LiveState State);
