using Cdc.Cutover.Plans;

namespace Cdc.Cutover.Gates;

/// <summary>Judges what takes a scope back by itself. What is not known takes nothing back: an engine that is away is answered for by Odoo anyway.</summary>
public static class TriggerJudge
{
    /// <returns>One for each trigger that is on; failed: it fires.</returns>
    public static GateReport Judge(PlanTriggers triggers, GateFacts facts)
    {
        var judged = new List<Gate>();
        if (triggers.MaxDriftPercent is { } drift)
            judged.Add(GateJudge.Drift(facts.Standing, drift));
        if (triggers.MaxShadowPercent is { } shadow)
            judged.Add(GateJudge.Shadow(facts.Shadow, shadow, triggers.MinShadowReads));
        if (triggers.MaxLagSeconds is { } lag)
            judged.Add(Gate.AtMost("lag", facts.Standing.LagSeconds, lag, "seconds behind Odoo"));
        if (triggers.MaxConflicts is { } conflicts)
            judged.Add(Gate.AtMost("conflicts", facts.Conflicts, conflicts, "conflicts in this step"));
        return new GateReport(judged);
    }
}
