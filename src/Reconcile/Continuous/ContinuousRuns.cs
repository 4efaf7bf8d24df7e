using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Runs;
using Npgsql;

namespace Cdc.Reconcile.Continuous;

/// <summary>Does what is due: compares, updates the alerts, and repairs where they demand it.</summary>
internal sealed class ContinuousRuns(
    ComparedServers servers,
    Reconciler reconciler,
    Repair repair,
    AlertWatch alerts,
    ContinuousOptions options
)
{
    // Of another generation there is nothing that a comparison of what has changed could go on from: it would compare everything, every
    // time.
    private const string ServedSql = $"""
        SELECT trigger, max(due_at) FROM cdc.reconcile_runs
        WHERE due_at IS NOT NULL AND state = 'done' AND (trigger <> $1 OR generation IS NULL OR generation = {SourceQueries.Generation}) GROUP BY trigger
        """;

    private const string PruneSql = """
        WITH old AS (
            DELETE FROM cdc.reconcile_runs r WHERE r.trigger = $1 AND r.started_at < clock_timestamp() - make_interval(days => $2) RETURNING r.id)
        DELETE FROM cdc.reconcile_partitions p USING old WHERE p.run = old.id
        """;

    /// <summary>By trigger, the latest time for which a run is done, by whichever process.</summary>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> ServedAsync(CancellationToken ct)
    {
        await using var connection = await servers.Engine.OpenConnectionAsync(ct);
        var served = await connection
            .Statement(ServedSql, Schedule.Nightly)
            .RowsAsync(r => (Trigger: r.GetString(0), Due: r.Time(1)!.Value), ct);
        return served.ToDictionary(s => s.Trigger, s => s.Due);
    }

    /// <summary>The pipeline streams, and has loaded everything.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken ct)
    {
        await using var connection = await servers.Engine.OpenConnectionAsync(ct);
        return await SourceQueries.IsSettledAsync(connection, ct);
    }

    public async Task RunAsync(ScheduledRun due, CancellationToken ct)
    {
        // Odoo's own contradictions are only read where a decision depends on them.
        var violations = due.Trigger.StartsWith("cutover", StringComparison.Ordinal);
        var request = new RunRequest(due.Kind, servers.Entities.All, Violations: violations) { Trigger = due.Trigger, Due = due.Due };
        var run = await reconciler.RunAsync(request, ct);
        var fired = await alerts.ObserveAsync(run, ct);
        if (fired.Contains(AlertName.Remediation))
            await (options.Repair ? RemediateAsync(run, request, ct) : ProposeAsync(run, request, ct));
        if (due.Trigger == Schedule.Nightly)
            await PruneAsync(ct);
    }

    /// <summary>Once: the alert that demanded it stays fired until a person re-arms it.</summary>
    private async Task RemediateAsync(long run, RunRequest request, CancellationToken ct)
    {
        var done = await repair.RunAsync(await repair.PlanAsync(run, request, ct), ct);
        alerts.Remediated(run, done);
        var again = await reconciler.RunAsync(new RunRequest(RunKind.Full, servers.Entities.All) { Trigger = Schedule.Remediation }, ct);
        await alerts.ObserveAsync(again, ct);
    }

    /// <summary>Changes nothing: the alert, the run's report and the log say what a repair would do.</summary>
    private async Task ProposeAsync(long run, RunRequest request, CancellationToken ct) =>
        await alerts.ProposeAsync(run, await repair.PlanAsync(run, request, ct), ct);

    private async Task PruneAsync(CancellationToken ct)
    {
        await using var connection = await servers.Engine.OpenConnectionAsync(ct);
        await connection.Statement(PruneSql, Schedule.Interval, options.KeepDays).ExecuteAsync(ct);
    }
}
