using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Rows;
using Npgsql;

namespace Cdc.Engine.Ownership;

/// <summary>Whether rows that the engine changed of its own accord are what Odoo last had, and its changes that are not in Odoo.</summary>
public static class OwnValues
{
    /// <summary>Of rows that Odoo has, in spans of keys: with pending changes, explained by them, and not explained.</summary>
    /// <param name="low">Of each span, included.</param>
    /// <param name="high">Excluded.</param>
    public static async Task<(long Pending, long Explained, long Unexplained)> CountAsync(
        NpgsqlConnection engine,
        EntityDeclaration entity,
        (long[] Low, long[] High) spans,
        long[] leaveOut,
        CancellationToken ct
    ) =>
        (
            await engine
                .Statement(CountSql(entity), spans.Low, spans.High, leaveOut)
                .RowsAsync(row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), ct)
        ).Single();

    private static string CountSql(EntityDeclaration entity)
    {
        var (name, key) = (Sql.Literal(entity.Name), Sql.Identifier(entity.EngineKey));
        var pending = $"l.entity = {name} AND l.status = 'pending' AND l.action = 'update'";
        return $"""
            SELECT count(*) FILTER (WHERE r.pending), count(*) FILTER (WHERE r.explained), count(*) FILTER (WHERE NOT r.explained)
            FROM unnest($1::bigint[], $2::bigint[]) AS span(low, high), LATERAL (
                SELECT EXISTS (SELECT FROM cdc.sync_log l WHERE {pending} AND l.id = t.{key}) AS pending,
                       {string.Join(
                " AND ",
                entity.Columns.Select(c => IsExplained(entity, c, $"{pending} AND l.id = t.{key}"))
            )} AS explained
                FROM {entity.EngineName} t
                WHERE t.{key} >= span.low AND t.{key} < span.high AND NOT t.{key} = ANY ($3::bigint[]) AND t.base IS DISTINCT FROM {BaseSql.Gone}
                  AND (t.base IS NOT NULL OR t.{key} = ANY (ARRAY(SELECT l.id FROM cdc.sync_log l WHERE {pending})))) r
            """;
    }

    /// <summary>The column is what Odoo has and what was added to it, or the value that was written last.</summary>
    private static string IsExplained(EntityDeclaration entity, EngineColumn column, string pending)
    {
        var (own, odoo, named) = ($"t.{Sql.Identifier(column.Name)}", BaseSql.OdooValue(column, "t"), Sql.Literal(column.Name));
        string Logged(string state) => $"(l.{state} ->> {named})::{column.Type}";
        return entity.Reverse!.Additive.Contains(column.Name)
            ? $"coalesce({own}, 0) = coalesce({odoo}, 0) + (SELECT coalesce(sum(coalesce({Logged("after")}, 0) - coalesce({Logged("before")}, 0)), 0) FROM cdc.sync_log l WHERE {pending})"
            : $"({own} IS NOT DISTINCT FROM CASE WHEN EXISTS (SELECT FROM cdc.sync_log l WHERE {pending} AND l.after ? {named}) "
                + $"THEN (SELECT {Logged("after")} FROM cdc.sync_log l WHERE {pending} AND l.after ? {named} ORDER BY l.number DESC LIMIT 1) ELSE {odoo} END)";
    }
}
