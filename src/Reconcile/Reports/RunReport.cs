using System.Text.Json.Serialization;
using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Core.Postgres.Values;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Repairs;

namespace Cdc.Reconcile.Reports;

/// <summary>All that a run found, as it is recorded. Its JSON is what <c>cdc reconcile --json</c> prints.</summary>
/// <param name="Total">All entities together.</param>
/// <param name="Drift">The differences that the run saw, up to the bound that was asked for.</param>
/// <param name="DriftRows">How many differences are recorded of it.</param>
/// <param name="History">Runs up to this one, the oldest first.</param>
public sealed record RunReport(
    RunHead Run,
    ReportedNumbers Total,
    IReadOnlyList<EntityReport> Entities,
    long DriftRows,
    IReadOnlyList<ReportedDrift> Drift,
    IReadOnlyList<ReportedTotal> Totals,
    IReadOnlyList<SpotCheck> SpotChecks,
    IReadOnlyList<Violation> Violations,
    IReadOnlyList<RunPoint> History
)
{
    /// <summary>What it means, and what was not compared.</summary>
    [JsonIgnore]
    public ComparisonRows Rows =>
        new(
            Total.Compared,
            Total.Drift,
            Total.InFlight,
            Total.Quarantined,
            Total.Holes,
            Total.Loading,
            [.. Entities.Where(e => e.State == "stopped").Select(e => ComparisonRows.NotComparedTable(e.Entity))]
        );

    /// <summary>Null: no repair was asked for.</summary>
    public RepairReport? Repair { get; init; }
}

/// <param name="Kind">full, changed, sign-off.</param>
/// <param name="State">running, done, failed.</param>
/// <param name="Verdict">consistent, drift, inconclusive; null while it runs and when it failed.</param>
/// <param name="Capped">Some drift was counted, and its values were not kept.</param>
/// <param name="FromLsn">Marker of the first fence in the source's WAL, and of the last.</param>
public sealed record RunHead(
    long Id,
    string Kind,
    IReadOnlyList<string> Entities,
    [property: JsonConverter(typeof(KeyJsonConverter))] long? FromKey,
    [property: JsonConverter(typeof(KeyJsonConverter))] long? ToKey,
    DateTimeOffset? Since,
    string State,
    string? Verdict,
    bool Capped,
    int? Generation,
    string? FromLsn,
    string? ToLsn,
    string? Detail,
    string RequestedBy,
    DateTimeOffset StartedAt,
    DateTimeOffset? FinishedAt
);

/// <param name="Rate">1 − drift / compared; null where nothing was compared.</param>
public sealed record ReportedNumbers(
    double? Rate,
    long Compared,
    long Drift,
    long Missing,
    long Extra,
    long Differing,
    long InFlight,
    long Quarantined,
    long Holes,
    long Loading,
    long SourceRows,
    long EngineRows
)
{
    /// <summary>Of which nothing is known.</summary>
    public long NotCompared => InFlight + Quarantined + Holes + Loading;

    public static ReportedNumbers Of(SliceNumbers n) =>
        new(
            n.Rate,
            n.Compared,
            n.Drift,
            n.Missing,
            n.Extra,
            n.Differing,
            n.InFlight,
            n.Quarantined,
            n.Holes,
            n.Loading,
            n.SourceRows,
            n.EngineRows
        );
}

/// <param name="State">compared; stopped: it was left out, and the run's detail says why.</param>
public sealed record EntityReport(string Entity, string State, ReportedNumbers Numbers, IReadOnlyList<PartitionReport> Partitions);

/// <param name="HeldMs">How long its snapshots were held, in milliseconds.</param>
public sealed record PartitionReport(
    [property: JsonConverter(typeof(KeyJsonConverter))] long? FromKey,
    [property: JsonConverter(typeof(KeyJsonConverter))] long? ToKey,
    ReportedNumbers Numbers,
    string MarkerLsn,
    double HeldMs
);

/// <param name="Kind">missing, extra, differing.</param>
/// <param name="Field">The engine's column, or * for a row that one side has not.</param>
public sealed record ReportedDrift(
    string Entity,
    [property: JsonConverter(typeof(KeyJsonConverter))] long Key,
    string Kind,
    string Field,
    string? OdooValue,
    string? EngineValue,
    DateTimeOffset FirstSeen,
    long FirstRun,
    bool Resolved
);

public sealed record ReportedTotal(string Entity, string Field, long? Program, long? Company, decimal Odoo, decimal Engine)
{
    public decimal Difference => Engine - Odoo;
}

/// <param name="Rows">Rows compared value by value.</param>
/// <param name="Differing">Keys of those that differ.</param>
public sealed record SpotCheck(
    string Entity,
    long? Company,
    int Rows,
    [property: JsonConverter(typeof(KeysJsonConverter))] IReadOnlyList<long> Differing
);

/// <param name="Examples">Some keys.</param>
public sealed record Violation(string Kind, long Rows, [property: JsonConverter(typeof(KeysJsonConverter))] IReadOnlyList<long> Examples);

/// <summary>One run in the rate's history.</summary>
public sealed record RunPoint(
    long Id,
    string Kind,
    DateTimeOffset StartedAt,
    string State,
    string? Verdict,
    double? Rate,
    long Compared,
    long Drift
);
