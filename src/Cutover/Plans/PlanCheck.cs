using System.Globalization;
using System.Text.RegularExpressions;

namespace Cdc.Cutover.Plans;

/// <summary>Everything that is wrong with a plan, as sentences.</summary>
internal static partial class PlanCheck
{
    private const int MostApprovals = 5;

    public static IReadOnlyList<string> Errors(CutoverPlan plan) =>
        HasHoles(plan)
            ? ["a list has null where a scope, a step or a service belongs"]
            : [.. OfPlan(plan), .. OfScopes(plan.Scopes), .. OfSteps(plan.Steps), .. OfTriggers(plan.Triggers)];

    /// <summary>JSON may say so, whatever the types do.</summary>
    private static bool HasHoles(CutoverPlan plan) =>
        plan.Scopes.Any(s => s is null || s.Services.Any(v => v is null)) || plan.Steps.Any(s => s is null);

    private static IEnumerable<string> OfPlan(CutoverPlan plan)
    {
        if (!Name().IsMatch(plan.Name))
            yield return $"name '{plan.Name}': {NameRule}";
        if (!Name().IsMatch(plan.Flag))
            yield return $"flag '{plan.Flag}': {NameRule}";
    }

    private static IEnumerable<string> OfScopes(IReadOnlyList<PlanScope> scopes)
    {
        if (scopes.Count == 0)
            yield return "there is no scope: name at least one, such as { \"name\": \"all\" }";
        foreach (var scope in scopes)
        {
            if (!Name().IsMatch(scope.Name))
                yield return $"scope '{scope.Name}': {NameRule}";
            foreach (var service in scope.Services.Where(s => !Name().IsMatch(s)))
                yield return $"scope {scope.Name}, service '{service}': {NameRule}";
            foreach (var cell in Twice(scope.Services.Cast<object>().Concat(scope.Companies.Cast<object>())))
                yield return string.Create(CultureInfo.InvariantCulture, $"scope {scope.Name} names {cell} twice");
        }
        foreach (var name in Twice(scopes.Select(s => s.Name)))
            yield return $"two scopes are called {name}";
        foreach (var (service, company) in Twice(scopes.SelectMany(Cells)))
            yield return $"two scopes have {(service is null ? "all services" : $"service {service}")} of {(company is { } id ? string.Create(CultureInfo.InvariantCulture, $"company {id}") : "all companies")}: a card's reads follow one scope";
    }

    /// <summary>The combinations that are this scope's.</summary>
    private static IEnumerable<(string? Service, long? Company)> Cells(PlanScope scope) =>
        from service in scope.Services.Count == 0 ? [null] : scope.Services.Distinct().Cast<string?>()
        from company in scope.Companies.Count == 0 ? [null] : scope.Companies.Distinct().Cast<long?>()
        select (service, company);

    private static IEnumerable<string> OfSteps(IReadOnlyList<PlanStep> steps)
    {
        if (steps.Count == 0 || steps[0].Phase != PlanPhase.Shadow)
            yield return "the first step has the phase shadow: nothing is moved that was not compared before";
        foreach (var name in Twice(steps.Select(s => s.Name)))
            yield return $"two steps are called {name}";
        var before = 0m;
        DateTimeOffset? at = null;
        for (var i = 0; i < steps.Count; i++)
        {
            foreach (var error in OfStep(steps[i], i == 0, before))
                yield return $"step {steps[i].Name}: {error}";
            if (steps[i].At <= at)
                yield return $"step {steps[i].Name}: it is planned before the step in front of it";
            (before, at) = (Math.Max(before, steps[i].Percentage), steps[i].At ?? at);
        }
    }

    private static IEnumerable<string> OfStep(PlanStep step, bool isFirst, decimal before)
    {
        if (!Name().IsMatch(step.Name) || step.Name == PlanPhase.Legacy)
            yield return $"its name: {NameRule}, and legacy is where scopes begin";
        if (PlanPhase.OfWrites.Contains(step.Phase))
            yield return $"the phase {step.Phase} is about writes, and this version moves reads only ({string.Join(", ", PlanPhase.All)}). "
                + "It comes with the next part, as it needs the way back to Odoo. Take the step out";
        else if (!PlanPhase.All.Contains(step.Phase))
            yield return $"there is no phase '{step.Phase}'; there are {string.Join(", ", PlanPhase.All)}";
        else if (step.Phase == PlanPhase.Shadow && (step.Percentage != 0 || !isFirst))
            yield return "shadow is the first step, and has no percentage";
        else if (step.Phase != PlanPhase.Shadow && (step.Percentage <= before || step.Percentage > 100))
            yield return $"its percentage is above {before.ToString(CultureInfo.InvariantCulture)}, that of the step before, and at most 100";
        if (step.Percentage != Math.Round(step.Percentage, 2))
            yield return "its percentage has at most two decimals";
        if (step.Approvals is < 1 or > MostApprovals)
            yield return $"approvals are from 1 to {MostApprovals}";
        var gates = step.Gates;
        double[] thresholds =
        [
            gates.MaxLagSeconds,
            gates.MaxQuarantined,
            gates.MaxDriftPercent,
            gates.ComparedWithinHours,
            gates.MaxShadowPercent,
            gates.MinShadowReads,
            gates.MaxConflicts,
            gates.MinutesBefore,
        ];
        if (thresholds.Any(t => !(t >= 0)))
            yield return "no threshold is below 0";
    }

    private static IEnumerable<string> OfTriggers(PlanTriggers triggers)
    {
        double?[] thresholds =
        [
            triggers.MaxDriftPercent,
            triggers.MaxShadowPercent,
            triggers.MinShadowReads,
            triggers.MaxLagSeconds,
            triggers.MaxConflicts,
        ];
        if (thresholds.Any(t => t is { } value && !(value >= 0)))
            yield return "triggers: no threshold is below 0 (null switches one off)";
    }

    private const string NameRule = "up to 64 lower-case letters, digits, dots, hyphens and underscores";

    private static IEnumerable<T> Twice<T>(IEnumerable<T> values) => values.GroupBy(v => v).Where(g => g.Count() > 1).Select(g => g.Key);

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}\\z")]
    private static partial Regex Name();
}
