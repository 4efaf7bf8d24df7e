using Cdc.Core.Postgres;
using Cdc.Cutover.Flags;
using Cdc.Cutover.Plans;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Cutover.Phases;

/// <summary>Plans, scopes, approvals and decisions in the engine. Whoever changes them holds the running plan's row.</summary>
public static class CutoverTable
{
    /// <summary>On which changes are announced.</summary>
    public const string Channel = "cdc_routes";

    private const string PlanSql = "SELECT plan, document, started_at, started_by FROM cdc.cutover_plans WHERE ended_at IS NULL";

    private const string ScopesSql = "SELECT scope, step, held, since, version FROM cdc.cutover_scopes WHERE plan = $1";

    private const string SaveSql = """
        UPDATE cdc.cutover_scopes SET step = $3, phase = $4, percentage = $5, held = $6, since = $7, version = $8
        WHERE plan = $1 AND scope = $2 AND version = $8 - 1
        """;

    private const string RecordSql = """
        INSERT INTO cdc.cutover_changes (plan, scope, command, from_step, to_step, from_percentage, to_percentage, changed_by, why, evidence)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """;

    private const string ChangesSql = """
        SELECT changed_at, scope, command, from_step, to_step, from_percentage, to_percentage, changed_by, why, evidence::text
        FROM cdc.cutover_changes WHERE plan = $1 ORDER BY change DESC LIMIT $2
        """;

    /// <summary>Null: none runs.</summary>
    /// <param name="locked">Until the end of the transaction: two who decide at once take turns.</param>
    public static async Task<RunningPlan?> RunningAsync(NpgsqlConnection connection, bool locked, CancellationToken ct)
    {
        var plans = await connection
            .Statement(PlanSql + (locked ? " FOR UPDATE" : ""))
            .RowsAsync(
                row => (Id: row.GetInt64(0), Text: row.GetString(1), At: row.GetFieldValue<DateTimeOffset>(2), By: row.GetString(3)),
                ct
            );
        if (plans is not [var (id, text, at, by)])
            return null;
        var plan = PlanFile.Parse(text, "that runs");
        var states = await connection.Statement(ScopesSql, id).RowsAsync(row => Read(row, plan), ct);
        return new RunningPlan(id, plan, text, at, by, [.. plan.Scopes.Select(scope => states.Single(s => s.Scope.Name == scope.Name))]);
    }

    /// <summary>Newest first.</summary>
    public static Task<List<CutoverChange>> ChangesAsync(NpgsqlConnection connection, long plan, int limit, CancellationToken ct) =>
        connection.Statement(ChangesSql, plan, limit).RowsAsync(ReadChange, ct);

    /// <summary>Who approved of the next step of a scope as it stands, in order of time.</summary>
    public static Task<List<string>> ApprovalsAsync(NpgsqlConnection connection, long plan, ScopeState state, CancellationToken ct) =>
        connection
            .Statement(
                "SELECT approved_by FROM cdc.cutover_approvals WHERE plan = $1 AND scope = $2 AND version = $3 ORDER BY approved_at",
                plan,
                state.Scope.Name,
                state.Version
            )
            .RowsAsync(row => row.GetString(0), ct);

    /// <summary>The plan's flag; null: it was never made.</summary>
    public static async Task<FlagStand?> FlagAsync(NpgsqlConnection connection, string flag, CancellationToken ct) =>
        (
            await connection
                .Statement("SELECT enabled, percentage, companies, updated_by FROM cdc.feature_flags WHERE name = $1", flag)
                .RowsAsync(
                    row => new FlagStand(
                        row.GetBoolean(0),
                        FlagStand.WithoutZeros(row.GetDecimal(1)),
                        row.GetFieldValue<long[]>(2),
                        row.GetString(3)
                    ),
                    ct
                )
        ).SingleOrDefault();

    internal static async Task<bool> ApproveAsync(
        NpgsqlConnection connection,
        long plan,
        ScopeState state,
        string by,
        CancellationToken ct
    ) =>
        await connection
            .Statement(
                "INSERT INTO cdc.cutover_approvals (plan, scope, version, approved_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                plan,
                state.Scope.Name,
                state.Version,
                by
            )
            .ExecuteAsync(ct) > 0;

    /// <returns>Its id.</returns>
    internal static async Task<long> InsertAsync(NpgsqlConnection connection, string name, string text, string by, CancellationToken ct)
    {
        await connection.Statement("UPDATE cdc.cutover_plans SET ended_at = clock_timestamp() WHERE ended_at IS NULL").ExecuteAsync(ct);
        return await connection
            .Statement(
                "INSERT INTO cdc.cutover_plans (name, document, sha256, started_by) VALUES ($1, $2, $3, $4) RETURNING plan",
                name,
                text,
                PlanFile.Sha256(text),
                by
            )
            .ScalarAsync<long>(ct);
    }

    internal static Task InsertAsync(NpgsqlConnection connection, RunningPlan running, ScopeState state, CancellationToken ct) =>
        connection
            .Statement(
                "INSERT INTO cdc.cutover_scopes (plan, scope, services, companies, flag, step, phase, percentage, held, since, version) "
                    + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                running.Id,
                state.Scope.Name,
                state.Scope.Services.ToArray(),
                state.Scope.Companies.ToArray(),
                running.Plan.Flag,
                state.Step,
                state.PhaseIn(running.Plan),
                state.PercentageIn(running.Plan),
                Text(state.Held),
                state.Since,
                state.Version
            )
            .ExecuteAsync(ct);

    internal static Task SaveAsync(NpgsqlConnection connection, RunningPlan running, ScopeState state, CancellationToken ct) =>
        connection
            .Statement(
                SaveSql,
                running.Id,
                state.Scope.Name,
                state.Step,
                state.PhaseIn(running.Plan),
                state.PercentageIn(running.Plan),
                Text(state.Held),
                state.Since,
                state.Version
            )
            .ExecuteAsync(ct);

    internal static Task RecordAsync(NpgsqlConnection connection, long plan, CutoverChange change, CancellationToken ct) =>
        connection
            .Statement(
                RecordSql,
                plan,
                change.Scope,
                change.Command,
                change.From,
                change.To,
                change.FromPercentage,
                change.ToPercentage,
                change.By,
                Text(change.Why),
                new NpgsqlParameter { Value = (object?)change.Evidence ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb }
            )
            .ExecuteAsync(ct);

    internal static Task SetFlagAsync(NpgsqlConnection connection, string flag, FlagStand wanted, string by, CancellationToken ct) =>
        connection
            .Statement(
                FlagSql.Change,
                flag,
                wanted.Enabled,
                // Switched off, it keeps its share, as when somebody switches it off.
                new NpgsqlParameter { Value = wanted.Enabled ? wanted.Percentage : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Numeric },
                new NpgsqlParameter
                {
                    Value = wanted.Enabled ? wanted.Companies.ToArray() : DBNull.Value,
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint,
                },
                by,
                Text(null)
            )
            .ExecuteAsync(ct);

    private static NpgsqlParameter Text(string? value) =>
        new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static ScopeState Read(NpgsqlDataReader row, CutoverPlan plan) =>
        new(
            plan.Scopes.Single(s => s.Name == row.GetString(0)),
            row.GetInt32(1),
            row.IsDBNull(2) ? null : row.GetString(2),
            row.GetFieldValue<DateTimeOffset>(3),
            row.GetInt64(4)
        );

    private static CutoverChange ReadChange(NpgsqlDataReader row) =>
        new(
            row.GetFieldValue<DateTimeOffset>(0),
            row.GetString(1),
            row.GetString(2),
            row.GetString(3),
            row.GetString(4),
            FlagStand.WithoutZeros(row.GetDecimal(5)),
            FlagStand.WithoutZeros(row.GetDecimal(6)),
            row.GetString(7),
            row.IsDBNull(8) ? null : row.GetString(8),
            row.IsDBNull(9) ? null : row.GetString(9)
        );
}
