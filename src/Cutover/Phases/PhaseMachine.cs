using Cdc.Core.Failures;
using Cdc.Cutover.Gates;
using Cdc.Cutover.Plans;

namespace Cdc.Cutover.Phases;

/// <summary>
/// From which state which command leads where. Forward one step at a time, through gates and approvals; back from every state, at once, and to
/// any step before. Nothing is read or written here.
/// </summary>
public static class PhaseMachine
{
    /// <summary>The step that 'advance' leads to.</summary>
    /// <exception cref="CdcException">Refused: it is held, or there is none.</exception>
    public static int Next(CutoverPlan plan, ScopeState state)
    {
        if (state.Held is { } why)
            throw new CdcException(
                FailureKind.Refused,
                $"{state.Scope.Name} is held: {why}. Nothing was changed.",
                $"When that is settled: cdc cutover hold {state.Scope.Name} --release"
            );
        if (state.Step == plan.Steps.Count)
            throw new CdcException(
                FailureKind.Refused,
                $"{state.Scope.Name} is at the last step of the plan, {plan.NameOf(state.Step)}. Nothing was changed.",
                "Handing over writes, freeze and sign-off come with the next part: this version moves reads only."
            );
        return state.Step + 1;
    }

    /// <exception cref="CdcException">Refused: it is held, there is no further step, or a gate fails. Inconclusive: a gate cannot say, or
    /// approvals are missing.</exception>
    public static ScopeState Advance(CutoverPlan plan, ScopeState state, GateReport gates, int approvals, DateTimeOffset now)
    {
        var next = Next(plan, state);
        if (!gates.Passes)
            throw new CdcException(
                gates.Kind,
                $"{state.Scope.Name} stays at {plan.NameOf(state.Step)}:{string.Concat(gates.Missing.Select(g => $"{Environment.NewLine}  - {g.Name}: {g.Says}"))}",
                "cdc cutover status"
            );
        var needed = plan.Steps[next - 1].Approvals;
        if (approvals < needed)
            throw new CdcException(
                FailureKind.Inconclusive,
                $"{state.Scope.Name} stays at {plan.NameOf(state.Step)}: {approvals} of {needed} people have approved of {plan.NameOf(next)}.",
                $"Somebody else runs: cdc cutover advance {state.Scope.Name}"
            );
        return Moved(state, next, now);
    }

    /// <param name="to">A step before; 0: legacy.</param>
    /// <exception cref="CdcException">Refused: it is no step before.</exception>
    public static ScopeState Rollback(CutoverPlan plan, ScopeState state, int to, DateTimeOffset now) =>
        to >= 0 && to < state.Step
            ? Moved(state, to, now)
            : throw new CdcException(
                FailureKind.Refused,
                $"{state.Scope.Name} is at {plan.NameOf(state.Step)}: {(to == state.Step ? "it is there already" : "back goes to a step before")}. Nothing was changed.",
                "cdc cutover status"
            );

    /// <summary>
    /// Back to the plan's first step, where Odoo answers and both sides are compared; nobody advances it until somebody has looked.
    /// </summary>
    /// <exception cref="CdcException">Refused: Odoo answers already.</exception>
    public static ScopeState Trip(CutoverPlan plan, ScopeState state, string why, DateTimeOffset now) =>
        Rollback(plan, state, 1, now) with
        {
            Held = why,
        };

    /// <summary>Nobody advances it until it is released. What it has reached stays.</summary>
    public static ScopeState Hold(ScopeState state, string why) => state with { Held = why, Version = state.Version + 1 };

    /// <exception cref="CdcException">Refused: it is not held.</exception>
    public static ScopeState Release(ScopeState state) =>
        state.Held is not null
            ? state with
            {
                Held = null,
                Version = state.Version + 1,
            }
            : throw new CdcException(FailureKind.Refused, $"{state.Scope.Name} is not held. Nothing was changed.", "cdc cutover status");

    private static ScopeState Moved(ScopeState state, int step, DateTimeOffset now) =>
        state with
        {
            Step = step,
            Since = now,
            Version = state.Version + 1,
        };
}
