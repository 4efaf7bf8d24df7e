using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Engine.Fences;
using Cdc.Engine.Tables;

namespace Cdc.Reconcile.Fences;

/// <summary>One attempt that came to nothing.</summary>
/// <param name="Reason">One of <see cref="FenceReasons"/>.</param>
internal sealed record BrokenFence(string Reason, string Detail)
{
    /// <summary>Another attempt may meet something else.</summary>
    public bool MayPass =>
        Reason is not (FenceReasons.Stopped or FenceReasons.UnknownEntity or FenceReasons.NotRunning or FenceReasons.NotFrozen);

    public static BrokenFence Of(FenceStatus state) =>
        state is { Reason: { } reason, Detail: { } detail }
            ? new BrokenFence(reason, detail)
            : new BrokenFence(
                FenceReasons.Expired,
                $"Its time ran out while it was {state.State.Word()}: the pipeline is behind, or has stopped."
            );

    /// <param name="attempts">How many there were.</param>
    public FenceException After(int attempts, string entity, Exception? inner = null)
    {
        var tries = attempts == 1 ? "" : $" {attempts} attempts failed, the last one so:";
        return new FenceException(
            Reason,
            Kind,
            $"Source and engine could not be brought to one point to compare {entity}.{tries} {Detail}",
            Remedy,
            inner
        );
    }

    private FailureKind Kind =>
        Reason is FenceReasons.Stopped or FenceReasons.UnknownEntity or FenceReasons.NotFrozen
            ? FailureKind.Refused
            : FailureKind.Unavailable;

    private string Remedy =>
        Reason switch
        {
            FenceReasons.NotRunning => "Start 'cdc run': source and engine are compared at a point that it passes.",
            FenceReasons.Stopped => "Repair the table as 'cdc status' says; cdc then reads it again, and it can be compared.",
            FenceReasons.UnknownEntity => "Restart 'cdc run' with the declaration that has the entity.",
            FenceReasons.NotFrozen => "Stop every writer of Odoo, wait until 'cdc status' says that nothing is behind, and run it again.",
            FenceReasons.Waits =>
                "Wait until long transactions of Odoo have ended (SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start), then run it again.",
            FenceReasons.TooLarge => "Run it again when the large transaction has ended, or raise Source:RememberedKeys.",
            FenceReasons.Locked =>
                "Wait until the table's lock is given back (SELECT pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock')), then run it again.",
            FenceReasons.NotOpened => "Run it again; if it goes on so, the engine answers slowly: raise Engine:FenceHoldTimeout.",
            _ => "Check 'cdc status': when it streams and is not far behind, run it again.",
        };
}
