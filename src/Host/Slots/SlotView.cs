using System.Text.Json.Serialization;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Engine.Tables;
using Cdc.Host.Terminals;
using Cdc.Pipeline.Setup;

namespace Cdc.Host.Slots;

/// <summary>What <c>cdc slot show</c> knows. Its JSON form is documented in docs/commands.md.</summary>
/// <param name="Verdict">continuous, gap, other-identity, creating, not-followed.</param>
internal sealed record SlotReport(
    string Verdict,
    SlotStatus? Slot,
    SourceStatus Source,
    FollowedSource? Followed,
    IReadOnlyList<Finding> Findings
)
{
    /// <summary>'cdc run' would not continue: a person has to accept something first.</summary>
    [JsonIgnore]
    public bool IsBroken => Verdict is "gap" or "other-identity";

    public static SlotReport Of(Continuity continuity, SourceStatus source) =>
        new(VerdictOf(continuity), source.Slot, source, continuity.Followed, continuity.Findings);

    private static string VerdictOf(Continuity continuity) =>
        continuity switch
        {
            { Followed: null } => "not-followed",
            { Followed.State: SourceState.Creating } => "creating",
            { Findings.Count: 0 } => "continuous",
            { IsAdoptable: true } => "other-identity",
            _ => "gap",
        };
}

internal static class SlotView
{
    public static void Write(SlotReport report, TextWriter writer)
    {
        foreach (var (name, value) in Facts(report))
            writer.WriteLine($"{name + ":", -17} {value}");
        foreach (var finding in report.Findings)
        {
            writer.WriteLine($"{finding.Code}: {finding.Message}");
            writer.WriteLine($"  -> {finding.Remedy}");
        }
        writer.WriteLine(Meaning(report.Verdict));
    }

    private static IEnumerable<(string, string)> Facts(SlotReport report)
    {
        yield return ("system", $"{report.Source.SystemIdentifier}, timeline {report.Source.Timeline}, database {report.Source.Database}");
        yield return ("insert LSN", report.Source.InsertLsn);
        yield return (
            "slot",
            report.Slot is { } s
                ? $"{s.Name} ({s.Plugin ?? "physical"}, {(s.Active ? $"read by pid {s.ActivePid}" : "not read")})"
                : "missing"
        );
        if (report.Slot is { } slot)
        {
            yield return (
                "wal",
                $"{slot.WalText}, keeps {Quantity.Bytes(slot.RetainedBytes)}"
                    + (slot.SafeWalSize is { } safe ? $", lost after {Quantity.Bytes(safe)} more" : "")
            );
            yield return ("restart LSN", slot.RestartLsn ?? "-");
            yield return ("confirmed LSN", slot.ConfirmedFlushLsn ?? "-");
        }
        if (report.Followed is { } followed)
        {
            yield return (
                "engine follows",
                $"{followed.SystemIdentifier}, timeline {followed.Timeline}, database {followed.Database}, slot {followed.Slot}"
            );
            yield return (
                "engine state",
                $"{followed.State.Word()}, generation {followed.Generation}, through {followed.Through}, wrote {followed.Written}"
            );
        }
    }

    private static string Meaning(string verdict) =>
        verdict switch
        {
            "continuous" => "Continuous: the slot has everything that the engine lacks. 'cdc run' continues from here.",
            "not-followed" => "The engine follows no source yet. 'cdc run' creates what is missing and loads the tables.",
            "creating" => "A generation was begun and not completed. 'cdc run' or 'cdc slot reset' completes it.",
            "other-identity" => "Another server, but it may be the same Odoo: 'cdc slot adopt' accepts it.",
            _ => "A gap: the pipeline stands still. 'cdc slot reset' accepts it and reads everything again (ops/runbooks/slot-reset.md).",
        };
}
