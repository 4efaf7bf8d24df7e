using Cdc.Core.Failures;
using Cdc.Cutover.Plans;

namespace Cdc.Cutover.Phases;

/// <summary>The plan that runs, and where its scopes stand.</summary>
/// <param name="Text">As it is kept.</param>
/// <param name="Sha256">Of that text.</param>
/// <param name="Scopes">In the order of the plan.</param>
public sealed record RunningPlan(
    long Id,
    CutoverPlan Plan,
    string Text,
    DateTimeOffset StartedAt,
    string StartedBy,
    IReadOnlyList<ScopeState> Scopes
)
{
    public string Sha256 => PlanFile.Sha256(Text);

    /// <exception cref="CdcException">Usage: there is no such scope.</exception>
    public ScopeState Scope(string name) =>
        Scopes.FirstOrDefault(s => s.Scope.Name == name)
        ?? throw new CdcException(
            FailureKind.Usage,
            $"The plan {Plan.Name} has no scope '{name}'.",
            $"Scopes: {string.Join(", ", Scopes.Select(s => s.Scope.Name))}."
        );
}

/// <summary>One decision, as it is on record.</summary>
/// <param name="Evidence">The gates as they were judged, as JSON; null: none were asked.</param>
public sealed record CutoverChange(
    DateTimeOffset At,
    string Scope,
    string Command,
    string From,
    string To,
    decimal FromPercentage,
    decimal ToPercentage,
    string By,
    string? Why,
    string? Evidence
);
