using Cdc.Core.Postgres;
using Cdc.Reconcile.Runs;
using Npgsql;

namespace Cdc.Reconcile.Alerts;

/// <summary>One alert as it stands.</summary>
/// <param name="State">armed, fired.</param>
/// <param name="ArmedAt">Null: it was never armed. What is older does not fire it again.</param>
/// <param name="Run">The run after which it fired.</param>
/// <param name="Scope">An entity, or <c>all</c>.</param>
/// <param name="DeliveredAt">Null: no webhook has taken it.</param>
public sealed record AlertState(
    string Name,
    string State,
    DateTimeOffset? ArmedAt,
    DateTimeOffset? FiredAt,
    long? Run,
    string? Scope,
    string? Message,
    DateTimeOffset? DeliveredAt
);

/// <summary>Alerts in the engine's database. Fired ones stay so until they are re-armed, for every process.</summary>
public static class AlertTable
{
    private const string ListSql = """
        SELECT name, state, nullif(armed_at, '-infinity'), fired_at, run, scope, message, delivered_at FROM cdc.alerts
        ORDER BY array_position($1, name), name
        """;

    private const string FireSql = """
        WITH fired AS (
            UPDATE cdc.alerts SET state = 'fired', fired_at = $2, run = $3, scope = $4, message = $5, delivered_at = NULL WHERE name = $1 AND state = 'armed' RETURNING name)
        INSERT INTO cdc.alert_changes (name, change, at, message) SELECT name, 'fired', $2, $5 FROM fired RETURNING name
        """;

    private const string ArmSql = """
        WITH armed AS (
            UPDATE cdc.alerts SET state = 'armed', armed_at = $2, fired_at = NULL, run = NULL, scope = NULL, message = NULL, delivered_at = NULL
            WHERE name = ANY($1) AND state = 'fired' RETURNING name)
        INSERT INTO cdc.alert_changes (name, change, at) SELECT name, 'armed', $2 FROM armed RETURNING name
        """;

    /// <summary>From the mildest.</summary>
    public static Task<List<AlertState>> ListAsync(NpgsqlConnection engine, CancellationToken ct) =>
        engine
            .Statement(ListSql, (object)AlertName.All.ToArray())
            .RowsAsync(
                r => new AlertState(
                    r.GetString(0),
                    r.GetString(1),
                    r.Time(2),
                    r.Time(3),
                    r.Long(4),
                    r.Get<string>(5),
                    r.Get<string>(6),
                    r.Time(7)
                ),
                ct
            );

    /// <summary>Arms those of the names that have fired.</summary>
    /// <returns>Their names.</returns>
    public static Task<List<string>> ArmAsync(
        NpgsqlConnection engine,
        IReadOnlyCollection<string> names,
        DateTimeOffset now,
        CancellationToken ct
    ) => engine.Statement(ArmSql, names.ToArray(), now).RowsAsync(r => r.GetString(0), ct);

    /// <returns>False: it has fired already, or another process was faster.</returns>
    internal static async Task<bool> FireAsync(
        NpgsqlConnection engine,
        string name,
        DateTimeOffset now,
        long run,
        AlertFinding finding,
        CancellationToken ct
    ) => (await engine.Statement(FireSql, name, now, run, finding.Scope, finding.Message).RowsAsync(r => r.GetString(0), ct)).Count > 0;

    /// <summary>Adds to what it says, if it is still the one that the run fired.</summary>
    internal static Task AddAsync(NpgsqlConnection engine, string name, long run, string text, CancellationToken ct) =>
        engine
            .Statement(
                "UPDATE cdc.alerts SET message = concat_ws(' ', message, $3::text) WHERE name = $1 AND run = $2 AND state = 'fired'",
                name,
                run,
                text
            )
            .ExecuteAsync(ct);

    /// <param name="firedAt">So that one that was armed and fired again meanwhile is delivered too.</param>
    internal static Task DeliveredAsync(
        NpgsqlConnection engine,
        string name,
        DateTimeOffset firedAt,
        DateTimeOffset now,
        CancellationToken ct
    ) => engine.Statement("UPDATE cdc.alerts SET delivered_at = $3 WHERE name = $1 AND fired_at = $2", name, firedAt, now).ExecuteAsync(ct);
}
