using Cdc.Reconcile.Comparing;

namespace Cdc.Reconcile.Runs;

public enum RunVerdict
{
    /// <summary>All that was asked for was compared, and nothing differs.</summary>
    Consistent,
    Drift,

    /// <summary>Nothing differs, but something was not compared.</summary>
    Inconclusive,
}

internal static class Verdicts
{
    /// <param name="stopped">Some entity's table is stopped.</param>
    public static RunVerdict Of(RunKind kind, SliceNumbers numbers, bool stopped)
    {
        if (numbers.Drift > 0)
            return RunVerdict.Drift;
        // Between two runs a row in quarantine, with a hole or in flight is ordinary. A sign-off is about every row.
        var leftOut = numbers.Loading + (kind == RunKind.SignOff ? numbers.InFlight + numbers.Quarantined + numbers.Holes : 0);
        return stopped || leftOut > 0 ? RunVerdict.Inconclusive : RunVerdict.Consistent;
    }

    /// <summary>As in cdc.reconcile_runs.</summary>
    public static string Word(RunVerdict verdict) => verdict.ToString().ToLowerInvariant();
}
