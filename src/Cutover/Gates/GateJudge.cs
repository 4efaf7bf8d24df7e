using System.Globalization;
using Cdc.Cutover.Plans;
using Cdc.Engine.Status;

namespace Cdc.Cutover.Gates;

/// <summary>What a scope's gates are judged by.</summary>
/// <param name="Conflicts">Since the step began in which it is.</param>
/// <param name="InStep">For how long it has been there.</param>
/// <param name="FlagStands">Null: the flag is as the phases have set it. Otherwise what somebody made of it.</param>
public sealed record GateFacts(PipelineStanding Standing, long Conflicts, TimeSpan InStep, string? FlagStands);

/// <summary>Judges the gates before a step. What is not known is never a pass.</summary>
public static class GateJudge
{
    public static GateReport Judge(PlanStep step, GateFacts facts)
    {
        var (gates, standing) = (step.Gates, facts.Standing);
        var found = new List<Gate>
        {
            Flag(facts.FlagStands),
            State(standing.State),
            Tables(standing),
            AtMost("lag", standing.LagSeconds, gates.MaxLagSeconds, "seconds behind Odoo"),
            AtMost("quarantine", standing.Quarantined, gates.MaxQuarantined, "rows in quarantine"),
        };
        if (step.Phase != PlanPhase.Shadow)
            found.AddRange([
                AtMost(
                    "compared",
                    standing.ComparedSeconds / 3600,
                    gates.ComparedWithinHours,
                    "hours since every table was compared",
                    "not every table was compared: cdc reconcile"
                ),
                Drift(standing, gates),
                AtMost("conflicts", facts.Conflicts, gates.MaxConflicts, "conflicts in this step"),
                Time(facts.InStep, gates.MinutesBefore),
            ]);
        return new GateReport(found);
    }

    private static Gate Flag(string? stands) =>
        new("flag", stands is null ? Verdict.Pass : Verdict.Fail, stands ?? "the flag is as the phases have set it");

    private static Gate State(string? state) =>
        state == "streaming"
            ? new("state", Verdict.Pass, "the engine follows Odoo")
            : new("state", Verdict.Fail, state is null ? "the engine follows no Odoo" : $"the pipeline's state is {state}");

    private static Gate Tables(PipelineStanding standing) =>
        standing.NotFollowed.Count == 0
            ? new("tables", Verdict.Pass, "every table is followed")
            : new("tables", Verdict.Fail, string.Join(", ", standing.NotFollowed));

    private static Gate Drift(PipelineStanding standing, PlanGates gates) =>
        AtMost(
            "drift",
            standing.Compared is > 0 and var compared ? standing.Drift * 100d / compared : null,
            gates.MaxDriftPercent,
            "percent of the compared rows differ",
            "no rows were compared: cdc reconcile"
        );

    private static Gate Time(TimeSpan inStep, double minutes) =>
        inStep.TotalMinutes >= minutes
            ? new("time", Verdict.Pass, $"{Text(inStep.TotalMinutes)} minutes in this step, at least {Text(minutes)}")
            : new(
                "time",
                Verdict.Inconclusive,
                $"{Text(inStep.TotalMinutes)} minutes in this step, at least {Text(minutes)}: {Text(minutes - inStep.TotalMinutes)} more"
            );

    private static Gate AtMost(string name, double? value, double most, string what, string unknown = "not known") =>
        value is not { } known ? new(name, Verdict.Inconclusive, unknown)
        : known <= most ? new(name, Verdict.Pass, $"{Text(known)} {what}, at most {Text(most)}")
        : new(name, Verdict.Fail, $"{Text(known)} {what}, at most {Text(most)}");

    private static string Text(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
