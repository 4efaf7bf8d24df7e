using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Reconcile.Reports;

namespace Cdc.Host.Reconciling;

/// <summary>What a comparison, and perhaps its repair, means to a script.</summary>
internal static class ReconcileOutcome
{
    public static int ExitCodeOf(RunReport report) =>
        Left(report).Verdict switch
        {
            ComparisonVerdict.Consistent => ExitCodes.Success,
            ComparisonVerdict.Drift => ExitCodes.Of(FailureKind.NotEqual),
            _ => ExitCodes.Of(FailureKind.Inconclusive),
        };

    /// <summary>What is left after a repair. Drift whose values were not kept was not repaired.</summary>
    private static ComparisonRows Left(RunReport report) =>
        report is { Run.Capped: false, Repair: { } repair }
            ? report.Rows with
            {
                Drift = repair.Differing,
                InFlight = report.Rows.InFlight + repair.Unknown,
            }
            : report.Rows;
}
