using Cdc.Core.Postgres;
using Cdc.Cutover.Gates;
using Npgsql;

namespace Cdc.Cutover.Shadow;

/// <param name="LastCard">An example: Odoo's id.</param>
public sealed record ShadowCount(string Scope, string Result, string Field, long Reads, long LastCard);

/// <summary>What shadow reads found, by the hour. A statistic: a crash loses the last seconds of it.</summary>
public static class ShadowTable
{
    private const string AddSql = """
        INSERT INTO cdc.cutover_shadow AS s (scope, hour, result, field, reads, last_card)
        SELECT scope, date_trunc('hour', now()), result, field, reads, card
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS u(scope, result, field, reads, card)
        ORDER BY 1, 3, 4
        ON CONFLICT (scope, hour, result, field) DO UPDATE SET reads = s.reads + excluded.reads, last_card = excluded.last_card
        """;

    private const string SinceSql = """
        SELECT scope, result, field, sum(reads)::bigint, (array_agg(last_card ORDER BY hour DESC))[1]
        FROM cdc.cutover_shadow WHERE hour > now() - interval '24 hours' GROUP BY scope, result, field ORDER BY 1, 2, 3
        """;

    /// <summary>Whole hours: the first one may have some of the step before.</summary>
    private const string OfScopeSql = """
        SELECT coalesce(sum(reads) FILTER (WHERE result IN ('equal', 'differs', 'missing', 'extra')), 0)::bigint,
               coalesce(sum(reads) FILTER (WHERE result IN ('differs', 'missing', 'extra')), 0)::bigint
        FROM cdc.cutover_shadow WHERE scope = $1 AND hour >= date_trunc('hour', $2::timestamptz) AND hour > now() - interval '24 hours'
        """;

    public static Task AddAsync(NpgsqlConnection connection, IReadOnlyCollection<ShadowCount> counts, CancellationToken ct) =>
        connection
            .Statement(
                AddSql,
                counts.Select(c => c.Scope).ToArray(),
                counts.Select(c => c.Result).ToArray(),
                counts.Select(c => c.Field).ToArray(),
                counts.Select(c => c.Reads).ToArray(),
                counts.Select(c => c.LastCard).ToArray()
            )
            .ExecuteAsync(ct);

    /// <summary>Of a scope since it came to where it is, and of the last 24 hours at most.</summary>
    public static async Task<ComparedReads> OfScopeAsync(
        NpgsqlConnection connection,
        string scope,
        DateTimeOffset since,
        CancellationToken ct
    ) =>
        (
            await connection
                .Statement(OfScopeSql, scope, since.UtcDateTime)
                .RowsAsync(row => new ComparedReads(row.GetInt64(0), row.GetInt64(1)), ct)
        ).Single();

    /// <summary>Of the last 24 hours.</summary>
    public static Task<List<ShadowCount>> OfDayAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection
            .Statement(SinceSql)
            .RowsAsync(row => new ShadowCount(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4)), ct);
}
