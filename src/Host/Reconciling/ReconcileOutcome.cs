using Cdc.Core.Failures;
using Cdc.Reconcile.Reports;

namespace Cdc.Host.Reconciling;

/// <summary>What a comparison, and perhaps its repair, means to a script.</summary>
internal static class ReconcileOutcome
{
    public static int ExitCodeOf(RunReport report) =>
        report switch
        {
            { Run.Verdict: "consistent" } => ExitCodes.Success,
            // What is left after a repair. Drift whose values were not kept was not repaired.
            { Run.Verdict: "drift", Run.Capped: false, Repair: { Differing: 0 } repair } => IsWhole(report) && repair.Unknown == 0
                ? ExitCodes.Success
                : ExitCodes.Of(FailureKind.Inconclusive),
            { Run.Verdict: "drift" } => ExitCodes.Of(FailureKind.NotEqual),
            _ => ExitCodes.Of(FailureKind.Inconclusive),
        };

    private static bool IsWhole(RunReport report) => report.Total.Loading == 0 && report.Entities.All(e => e.State != "stopped");
}
