using Cdc.Cutover.Plans;

namespace Cdc.Cutover.Phases;

/// <summary>Where a scope stands.</summary>
/// <param name="Step">0: legacy; otherwise that of the plan, from 1.</param>
/// <param name="Held">Why nobody may advance it; null: it may be.</param>
/// <param name="Since">When it came there.</param>
/// <param name="Version">One more with every change.</param>
public sealed record ScopeState(PlanScope Scope, int Step, string? Held, DateTimeOffset Since, long Version)
{
    /// <summary>How <see cref="Held"/> begins where a trigger took the scope back.</summary>
    public const string ByTrigger = "trigger ";

    public bool IsTripped => Held?.StartsWith(ByTrigger, StringComparison.Ordinal) == true;

    public string PhaseIn(CutoverPlan plan) => Step == 0 ? PlanPhase.Legacy : plan.Steps[Step - 1].Phase;

    /// <summary>Of its cards, those whose reads the engine answers, as far as its flag allows it.</summary>
    public decimal PercentageIn(CutoverPlan plan) => Step == 0 ? 0 : plan.Steps[Step - 1].Percentage;
}
