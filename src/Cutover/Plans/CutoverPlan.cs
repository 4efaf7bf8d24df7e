using System.Text.Json.Serialization;

namespace Cdc.Cutover.Plans;

/// <summary>What a cutover does, in which order and under which conditions: a JSON file. Every value has a default but names and scopes.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CutoverPlan
{
    public string Name { get; init; } = "";

    /// <summary>The feature flag that switches the reads of all scopes back at once.</summary>
    public string Flag { get; init; } = "rust-engine";

    public IReadOnlyList<PlanScope> Scopes { get; init; } = [];

    /// <summary>The way of each scope, from legacy on.</summary>
    public IReadOnlyList<PlanStep> Steps { get; init; } = PlanStep.Usual;

    /// <summary>What takes a scope back to shadow by itself.</summary>
    public PlanTriggers Triggers { get; init; } = new();

    /// <summary>What a step is called; 0 is where every scope begins.</summary>
    public string NameOf(int step) => step == 0 ? PlanPhase.Legacy : Steps[step - 1].Name;
}

/// <summary>Cards whose reads move together. A card belongs to the scope that names its company, then to the one that names its service.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PlanScope
{
    public string Name { get; init; } = "";

    /// <summary>Who reads; empty: all others.</summary>
    public IReadOnlyList<string> Services { get; init; } = [];

    /// <summary>Odoo's ids; empty: all others.</summary>
    public IReadOnlyList<long> Companies { get; init; } = [];
}

/// <summary>A step, and what must be true before a scope enters it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PlanStep
{
    public string Name { get; init; } = "";

    /// <summary>One of <see cref="PlanPhase"/>.</summary>
    public string Phase { get; init; } = "";

    /// <summary>Of the scope's cards, those whose reads the engine answers.</summary>
    public decimal Percentage { get; init; }

    /// <summary>How many people must say so, by 'advance'.</summary>
    public int Approvals { get; init; } = 1;

    /// <summary>When it is planned; null: at no time.</summary>
    public DateTimeOffset? At { get; init; }

    public PlanGates Gates { get; init; } = new();

    /// <summary>Four days of shadow, then ten percent, half and all of the reads, a day each.</summary>
    public static IReadOnlyList<PlanStep> Usual { get; } =
    [
        new() { Name = "shadow", Phase = PlanPhase.Shadow },
        new()
        {
            Name = "canary",
            Phase = PlanPhase.Canary,
            Percentage = 10,
            Gates = new() { MinutesBefore = 4 * 1440 },
        },
        new()
        {
            Name = "half",
            Phase = PlanPhase.Ramp,
            Percentage = 50,
            Gates = new() { MinutesBefore = 1440 },
        },
        new()
        {
            Name = "all",
            Phase = PlanPhase.Ramp,
            Percentage = 100,
            Gates = new() { MinutesBefore = 1440 },
        },
    ];
}

/// <summary>Thresholds. Into shadow go the first two and the tables alone: it changes no answer.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PlanGates
{
    /// <summary>How far the engine may be behind Odoo.</summary>
    public double MaxLagSeconds { get; init; } = 60;

    /// <summary>Rows in quarantine.</summary>
    public long MaxQuarantined { get; init; }

    /// <summary>Rows that differ, of those that were compared.</summary>
    public double MaxDriftPercent { get; init; } = 0.1;

    /// <summary>How old the last comparison of everything may be.</summary>
    public double ComparedWithinHours { get; init; } = 24;

    /// <summary>Reads with different answers of the two sides, of those that were compared since the step before began.</summary>
    public double MaxShadowPercent { get; init; } = 0.1;

    /// <summary>How many must have been compared. 0: also none, where nobody reads over this Api.</summary>
    public long MinShadowReads { get; init; } = 100;

    /// <summary>Changes of Odoo's to what the engine owns, since the step before began.</summary>
    public long MaxConflicts { get; init; }

    /// <summary>How long the step before must have lasted.</summary>
    public double MinutesBefore { get; init; }
}

/// <summary>Thresholds above which the engine answers no reads of a scope any more; null: never for that.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PlanTriggers
{
    /// <summary>Rows that differ, of those that were compared.</summary>
    public double? MaxDriftPercent { get; init; } = 1;

    /// <summary>Reads with different answers of the two sides, of those that were compared since the step began.</summary>
    public double? MaxShadowPercent { get; init; } = 1;

    /// <summary>How many must have been compared: fewer say nothing.</summary>
    public long MinShadowReads { get; init; } = 100;

    /// <summary>How far the engine may be behind Odoo: half an hour of it is the end of anybody's patience.</summary>
    public double? MaxLagSeconds { get; init; } = 1800;

    /// <summary>Changes of Odoo's to what the engine owns, since the step began.</summary>
    public long? MaxConflicts { get; init; }
}

/// <summary>Words of phases: in plans, in the engine and in JSON; never renamed.</summary>
public static class PlanPhase
{
    /// <summary>Odoo answers; nothing is asked of the engine.</summary>
    public const string Legacy = "legacy";

    /// <summary>Odoo answers.</summary>
    public const string Shadow = "shadow";

    /// <summary>A few cards' reads are answered by the engine.</summary>
    public const string Canary = "canary";

    /// <summary>More of them.</summary>
    public const string Ramp = "ramp";

    public static IReadOnlyList<string> All { get; } = [Shadow, Canary, Ramp];

    /// <summary>Phases of writes. They need the way back to Odoo, and are in no version yet.</summary>
    public static IReadOnlyList<string> OfWrites { get; } = ["shared", "handover", "engine", "freeze", "final-delta", "sign-off", "lift"];
}
