using Cdc.Core.Configuration;

namespace Cdc.Reconcile.Fences;

/// <summary>How long a comparison tries to begin (section <c>Fence</c>).</summary>
public sealed record FenceOptions : IOptionSection
{
    /// <summary>For one attempt, from the announcement until the engine's snapshot is open.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A fence that something broke is repeated with growing pauses, this many times in all.</summary>
    public int Attempts { get; init; } = 10;

    public void Check(OptionChecks checks)
    {
        checks.Interval(nameof(Timeout), Timeout);
        checks.AtLeast(nameof(Attempts), Attempts, 1);
    }
}
