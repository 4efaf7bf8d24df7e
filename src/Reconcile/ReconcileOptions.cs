using Cdc.Core.Configuration;

namespace Cdc.Reconcile;

/// <summary>How the two sides are compared.</summary>
public sealed record ReconcileOptions : IOptionSection
{
    /// <summary>Rows of the first slice: each slice has its own fence and pair of snapshots.</summary>
    public int SliceRows { get; init; } = 262_144;

    /// <summary>What a slice should take. The number of rows follows.</summary>
    public TimeSpan SliceTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The server ends a statement that takes longer, and its slice is cut smaller.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Differing keys of one entity whose values are kept. Further ones are counted, and the run says that it was capped.
    /// </summary>
    public int MaxDrift { get; init; } = 10_000;

    public void Check(OptionChecks checks)
    {
        checks.AtLeast(nameof(SliceRows), SliceRows, 1);
        checks.Interval(nameof(SliceTime), SliceTime);
        checks.Interval(nameof(StatementTimeout), StatementTimeout);
        checks.AtLeast(nameof(MaxDrift), MaxDrift, 0);
        checks.Require(
            SliceTime <= StatementTimeout || StatementTimeout <= TimeSpan.Zero,
            nameof(SliceTime),
            $"is {SliceTime}, and must not be longer than Reconcile:StatementTimeout ({StatementTimeout}), which ends its statements"
        );
    }
}
