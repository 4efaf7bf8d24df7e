using Cdc.Core.Failures;
using Cdc.Cutover.Plans;

namespace Cdc.Cutover.Phases;

/// <summary>Where the scopes of a plan begin that takes another one's place.</summary>
public static class Succession
{
    /// <exception cref="CdcException">Refused: a scope that has moved on is missing, or its cards, its flag or the steps behind it are
    /// others.</exception>
    public static IReadOnlyList<ScopeState> Of(RunningPlan? before, CutoverPlan plan, DateTimeOffset now)
    {
        foreach (var moved in (before?.Scopes ?? []).Where(s => s.Step > 0))
            if (Why(before!.Plan, moved, plan) is { } why)
                throw new CdcException(
                    FailureKind.Refused,
                    $"{moved.Scope.Name} is at {before.Plan.NameOf(moved.Step)}, and {why}. Nothing was changed.",
                    $"Take it back first (cdc cutover rollback {moved.Scope.Name}), or leave it as it is in the plan."
                );
        return [.. plan.Scopes.Select(scope => Of(before, scope, now))];
    }

    private static ScopeState Of(RunningPlan? before, PlanScope scope, DateTimeOffset now) =>
        before?.Scopes.FirstOrDefault(s => (s.Step > 0 || s.Held is not null) && s.Scope.Name == scope.Name) is { } stands
            ? stands with
            {
                Scope = scope,
            }
            : new ScopeState(scope, 0, null, now, 1);

    private static string? Why(CutoverPlan before, ScopeState moved, CutoverPlan plan)
    {
        if (plan.Flag != before.Flag)
            return $"the plan has another flag ({plan.Flag}, not {before.Flag})";
        if (plan.Scopes.FirstOrDefault(s => s.Name == moved.Scope.Name) is not { } scope)
            return "the plan has no such scope";
        if (!scope.Services.ToHashSet().SetEquals(moved.Scope.Services) || !scope.Companies.ToHashSet().SetEquals(moved.Scope.Companies))
            return "the plan gives it other services or companies";
        var (behind, now) = (before.Steps.Take(moved.Step).Select(Way), plan.Steps.Take(moved.Step).Select(Way));
        return behind.SequenceEqual(now) ? null : "the plan has other steps up to there";
    }

    private static (string, string, decimal) Way(PlanStep step) => (step.Name, step.Phase, step.Percentage);
}
