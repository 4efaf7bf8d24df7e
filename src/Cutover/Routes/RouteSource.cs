using Cdc.Core.Postgres;
using Cdc.Cutover.Flags;
using Npgsql;

namespace Cdc.Cutover.Routes;

/// <summary>Reads the rules of the running plan, and its flag, in one snapshot.</summary>
public static class RouteSource
{
    private const string ReadSql = """
        SELECT s.scope, s.services, s.companies, s.phase, s.percentage, s.flag, f.enabled, f.percentage, f.companies, f.updated_by
        FROM cdc.cutover_plans p JOIN cdc.cutover_scopes s ON s.plan = p.plan LEFT JOIN cdc.feature_flags f ON f.name = s.flag
        WHERE p.ended_at IS NULL
        """;

    /// <summary>Null: no plan runs.</summary>
    public static async Task<RouteRules?> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var rules = await connection.Statement(ReadSql).RowsAsync(Read, ct);
        return rules is [var (flag, stand, _), ..] ? new RouteRules(flag, stand, [.. rules.Select(r => r.Rule)]) : null;
    }

    private static (string Flag, FlagStand? Stand, RouteRule Rule) Read(NpgsqlDataReader row) =>
        (
            row.GetString(5),
            row.IsDBNull(6)
                ? null
                : new FlagStand(
                    row.GetBoolean(6),
                    FlagStand.WithoutZeros(row.GetDecimal(7)),
                    row.GetFieldValue<long[]>(8),
                    row.GetString(9)
                ),
            new RouteRule(
                row.GetString(0),
                row.GetFieldValue<string[]>(1),
                row.GetFieldValue<long[]>(2),
                row.GetString(3),
                FlagStand.WithoutZeros(row.GetDecimal(4))
            )
        );
}
