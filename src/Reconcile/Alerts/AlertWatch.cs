using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Runs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Reconcile.Alerts;

/// <summary>
/// Evaluates the rules after each comparison, and fires what is due. A comparison that could not say, or failed, pauses it: nothing is
/// fired by it, and nothing is taken back.
/// </summary>
internal sealed class AlertWatch(NpgsqlDataSource engine, AlertOptions options, TimeProvider time, ILogger log)
{
    // One place in time for all entities, so that they can be summed up.
    private const string SampleSql = """
        INSERT INTO cdc.reconcile_samples (at, run, entity, compared, drift) SELECT $1, $2, entity, compared, drift FROM cdc.reconcile_standing
        """;

    private const string PruneSql = "DELETE FROM cdc.reconcile_samples WHERE at <= $1";

    private const string SamplesSql =
        "SELECT at, entity, compared, drift FROM cdc.reconcile_samples WHERE at > $1 AND entity IS NOT NULL ORDER BY at";

    private const string RowsSql = """
        SELECT coalesce(sum(compared), 0)::bigint, coalesce(sum(missing + extra + differing), 0)::bigint, coalesce(sum(in_flight), 0)::bigint,
            coalesce(sum(quarantined), 0)::bigint, coalesce(sum(holes), 0)::bigint, coalesce(sum(loading), 0)::bigint,
            coalesce(array_agg(DISTINCT entity) FILTER (WHERE state = 'stopped'), ARRAY[]::text[])
        FROM cdc.reconcile_partitions WHERE run = $1
        """;

    private readonly AlertRules _rules = new(options);
    private string? _leftOut;

    /// <param name="run">It is done.</param>
    /// <returns>Names of the alerts that fire now.</returns>
    public async Task<IReadOnlyList<string>> ObserveAsync(long run, CancellationToken ct)
    {
        await using var connection = await engine.OpenConnectionAsync(ct);
        var rows = (await connection.Statement(RowsSql, run).RowsAsync(Read, ct)).Single();
        var now = time.GetUtcNow();
        await connection.Statement(PruneSql, now - options.LongWindow * 2).ExecuteAsync(ct);
        await LogLeftOutAsync(connection, run, rows, ct);
        if (!rows.IsOfTheWhole)
        {
            await PauseAsync(connection, run, now, ct);
            return [];
        }
        await connection.Statement(SampleSql, now, run).ExecuteAsync(ct);
        return await FireAsync(connection, run, now, ct);
    }

    /// <summary>A comparison failed.</summary>
    public async Task PauseAsync(CancellationToken ct)
    {
        await using var connection = await engine.OpenConnectionAsync(ct);
        await PauseAsync(connection, null, time.GetUtcNow(), ct);
    }

    /// <summary>Nothing is repaired without a person: the alert and the run's report get what a repair would do.</summary>
    public async Task ProposeAsync(long run, RepairPlan plan, CancellationToken ct)
    {
        var proposal = plan.Proposal;
        await using var connection = await engine.OpenConnectionAsync(ct);
        await AlertTable.AddAsync(connection, AlertName.Remediation, run, proposal, ct);
        await connection
            .Statement("UPDATE cdc.reconcile_runs SET detail = concat_ws(' ', detail, $2::text) WHERE id = $1", run, proposal)
            .ExecuteAsync(ct);
        ReconcileLog.Proposed(log, run, proposal);
    }

    public void Remediated(long run, RepairReport repair) =>
        ReconcileLog.Remediated(log, run, repair.Equal, repair.Differing, repair.Unknown);

    private async Task<IReadOnlyList<string>> FireAsync(NpgsqlConnection connection, long run, DateTimeOffset now, CancellationToken ct)
    {
        var samples = await connection
            .Statement(SamplesSql, now - options.LongWindow)
            .RowsAsync(r => new AlertSample(r.Time(0)!.Value, r.GetString(1), r.GetInt64(2), r.GetInt64(3)), ct);
        var fired = new List<string>();
        foreach (var alert in await AlertTable.ListAsync(connection, ct))
        {
            if (
                alert.State != "armed"
                || _rules.Find(alert.Name, [.. samples.Where(s => alert.ArmedAt is not { } armed || s.At > armed)], now) is not { } finding
            )
                continue;
            if (!await AlertTable.FireAsync(connection, alert.Name, now, run, finding, ct))
                continue;
            fired.Add(alert.Name);
            LogFired(alert.Name, finding.Message, run);
        }
        return fired;
    }

    private async Task PauseAsync(NpgsqlConnection connection, long? run, DateTimeOffset now, CancellationToken ct)
    {
        await connection.Statement("INSERT INTO cdc.reconcile_samples (at, run) VALUES ($1, $2::bigint)", now, run).ExecuteAsync(ct);
        ReconcileLog.Paused(log);
    }

    /// <summary>The same again and again is one line.</summary>
    private async Task LogLeftOutAsync(NpgsqlConnection connection, long run, ComparisonRows rows, CancellationToken ct)
    {
        var reason =
            rows.Tables.Count == 0
                ? null
                : await connection
                    .Statement("SELECT coalesce(detail, '') FROM cdc.reconcile_runs WHERE id = $1", run)
                    .ScalarAsync<string>(ct);
        if (reason is not null && string.Join(' ', rows.Tables) != _leftOut)
            ReconcileLog.LeftOut(log, run, reason);
        _leftOut = reason is null ? null : string.Join(' ', rows.Tables);
    }

    private static ComparisonRows Read(NpgsqlDataReader r) =>
        new(
            r.GetInt64(0),
            r.GetInt64(1),
            r.GetInt64(2),
            r.GetInt64(3),
            r.GetInt64(4),
            r.GetInt64(5),
            [.. r.GetFieldValue<string[]>(6).Select(ComparisonRows.NotComparedTable)]
        );

    private void LogFired(string name, string message, long run)
    {
        switch (name)
        {
            case AlertName.Warning:
                ReconcileLog.Warned(log, name, message, run);
                break;
            case AlertName.Page:
                ReconcileLog.Paged(log, name, message, run);
                break;
            default:
                ReconcileLog.Alerted(log, name, message, run);
                break;
        }
    }
}
