using Cdc.Cutover.Plans;
using Cdc.Engine.Status;

namespace Cdc.Cutover.Gates;

/// <summary>What a scope's gates are judged by.</summary>
/// <param name="Conflicts">Since the step began in which it is.</param>
/// <param name="InStep">For how long it has been there.</param>
/// <param name="Shadow">Since then, of the last 24 hours.</param>
/// <param name="FlagStands">Null: the flag is as the phases have set it. Otherwise what somebody made of it.</param>
public sealed record GateFacts(PipelineStanding Standing, long Conflicts, TimeSpan InStep, ComparedReads Shadow, string? FlagStands);

/// <param name="Compared">Reads of which both sides' answers could be compared.</param>
/// <param name="Different">Of these, those that were not the same.</param>
public sealed record ComparedReads(long Compared, long Different);

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
            Gate.AtMost("lag", standing.LagSeconds, gates.MaxLagSeconds, "seconds behind Odoo"),
            Gate.AtMost("quarantine", standing.Quarantined, gates.MaxQuarantined, "rows in quarantine"),
        };
        if (step.Phase != PlanPhase.Shadow)
            found.AddRange([
                Gate.AtMost(
                    "compared",
                    standing.ComparedSeconds / 3600,
                    gates.ComparedWithinHours,
                    "hours since every table was compared",
                    "not every table was compared: cdc reconcile"
                ),
                Drift(standing, gates.MaxDriftPercent),
                Shadow(facts.Shadow, gates.MaxShadowPercent, gates.MinShadowReads),
                Gate.AtMost("conflicts", facts.Conflicts, gates.MaxConflicts, "conflicts in this step"),
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

    internal static Gate Drift(PipelineStanding standing, double most) =>
        Gate.AtMost(
            "drift",
            standing.Compared is > 0 and var compared ? standing.Drift * 100d / compared : null,
            most,
            "percent of the compared rows differ",
            "no rows were compared: cdc reconcile"
        );

    /// <summary>Too few reads say nothing, whatever they say.</summary>
    internal static Gate Shadow(ComparedReads shadow, double most, long least)
    {
        if (shadow.Compared < least)
            return new(
                "shadow",
                Verdict.Inconclusive,
                $"{Gate.Text(shadow.Compared)} reads were compared in this step, at least {Gate.Text(least)} (Api:ShadowPercent is the share of reads that are)"
            );
        return Gate.AtMost(
            "shadow",
            shadow.Compared == 0 ? 0 : shadow.Different * 100d / shadow.Compared,
            most,
            $"percent of {Gate.Text(shadow.Compared)} compared reads had different answers"
        );
    }

    private static Gate Time(TimeSpan inStep, double minutes) =>
        inStep.TotalMinutes >= minutes
            ? new("time", Verdict.Pass, $"{Gate.Text(inStep.TotalMinutes)} minutes in this step, at least {Gate.Text(minutes)}")
            : new(
                "time",
                Verdict.Inconclusive,
                $"{Gate.Text(inStep.TotalMinutes)} minutes in this step, at least {Gate.Text(minutes)}: {Gate.Text(minutes - inStep.TotalMinutes)} more"
            );
}
