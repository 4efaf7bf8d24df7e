using System.Text.Json.Serialization;
using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;

namespace Cdc.Reconcile.Repairs;

/// <summary>What a repair did, or is going to do; part of what <c>cdc reconcile --json</c> prints.</summary>
/// <param name="DryRun">Nothing was asked for, nothing was changed.</param>
/// <param name="Keys">One for each key of which the run had recorded drift.</param>
public sealed record RepairReport(bool DryRun, IReadOnlyList<RepairedKey> Keys)
{
    /// <summary>Rows that were not removed, since they are many.</summary>
    public IReadOnlyList<HeldRows> Held { get; init; } = [];

    /// <summary>Keys that are equal now.</summary>
    public int Equal => Keys.Count(k => k.Outcome is RepairedKey.Repaired or RepairedKey.Gone);

    /// <summary>Keys that still differ, were only planned, or are held.</summary>
    public int Differing => Keys.Count(k => k.Outcome is RepairedKey.Drift or RepairedKey.Planned or RepairedKey.Held);

    /// <summary>Keys without a verdict: in flight at every attempt, in quarantine, with a hole, in a range that is loading, or of a table that cannot be
    /// compared now.</summary>
    public int Unknown => Keys.Count - Equal - Differing;
}

/// <param name="Kind">missing, extra, differing: as at the second comparison, or, where that found none, in the run.</param>
/// <param name="Outcome">planned, gone (equal at the second comparison: nothing was done), repaired, drift, in-flight, quarantined, hole,
/// loading, held (too many rows of its entity would be removed), left-out (its table cannot be compared now).</param>
/// <param name="Request">Id of the request to the pipeline; null where there was none.</param>
public sealed record RepairedKey(
    string Entity,
    [property: JsonConverter(typeof(KeyJsonConverter))] long Key,
    string Kind,
    string Outcome,
    long? Request
)
{
    public const string Planned = "planned",
        Gone = "gone",
        Repaired = "repaired",
        Drift = "drift",
        Held = "held",
        LeftOut = "left-out",
        Quarantined = "quarantined";
}

/// <summary>Rows of an entity that only the engine has, and that are so many that a person must allow their removal.</summary>
/// <param name="Deletes">How many.</param>
/// <param name="Rows">Of how many in the engine.</param>
/// <param name="Reason">For people, with what to do.</param>
public sealed record HeldRows(string Entity, long Deletes, long Rows, string Reason);
