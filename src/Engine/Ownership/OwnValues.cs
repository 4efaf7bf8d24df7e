using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Rows;
using Npgsql;

namespace Cdc.Engine.Ownership;

/// <param name="Explained">What Odoo last had and own changes that are pending would make it, as text.</param>
/// <param name="Own">What the engine has.</param>
public sealed record UnexplainedValue(long Key, string Column, string? Explained, string? Own);

/// <summary>Whether rows that the engine changed of its own accord are what Odoo last had, and its changes that are not in Odoo.</summary>
public static class OwnValues
{
    /// <summary>Of rows that Odoo has, in spans of keys: with pending changes, explained by them, and not explained.</summary>
    /// <param name="spans">From each low, included, to its high, excluded.</param>
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

    /// <summary>Columns that are not explained, of so many rows.</summary>
    public static Task<List<UnexplainedValue>> UnexplainedAsync(
        NpgsqlConnection engine,
        EntityDeclaration entity,
        (long[] Low, long[] High) spans,
        long[] leaveOut,
        int most,
        CancellationToken ct
    ) =>
        engine
            .Statement(ListSql(entity), spans.Low, spans.High, leaveOut, most)
            .RowsAsync(
                row => new UnexplainedValue(
                    row.GetInt64(0),
                    row.GetString(1),
                    row.IsDBNull(2) ? null : row.GetString(2),
                    row.IsDBNull(3) ? null : row.GetString(3)
                ),
                ct
            );

    private static string CountSql(EntityDeclaration entity) =>
        $"""
            SELECT count(*) FILTER (WHERE r.pending), count(*) FILTER (WHERE r.explained), count(*) FILTER (WHERE NOT r.explained)
            FROM unnest($1::bigint[], $2::bigint[]) AS span(low, high), LATERAL (
                SELECT EXISTS (SELECT FROM cdc.sync_log l WHERE {Pending(entity)} AND l.id = t.{Key(entity)}) AS pending,
                       {AllExplained(entity)} AS explained
                FROM {Changed(entity)}) r
            """;

    private static string ListSql(EntityDeclaration entity)
    {
        var values = entity.Columns.Select(c =>
            $"({Sql.Literal(c.Name)}, {Explained(entity, c)}::text, t.{Sql.Identifier(c.Name)}::text, {IsExplained(entity, c)})"
        );
        return $"""
            SELECT r.key, v.name, v.explained, v.own
            FROM (SELECT t.{Key(entity)} AS key FROM unnest($1::bigint[], $2::bigint[]) AS span(low, high), {Changed(entity)}
                  AND NOT ({AllExplained(entity)}) ORDER BY 1 LIMIT $4) r
            JOIN {entity.EngineName} t ON t.{Key(entity)} = r.key
            CROSS JOIN LATERAL (VALUES {string.Join(", ", values)}) v(name, explained, own, is_explained)
            WHERE NOT v.is_explained ORDER BY 1
            """;
    }

    /// <summary>Rows <c>t</c> of a span that differ from what Odoo has, or should.</summary>
    private static string Changed(EntityDeclaration entity) =>
        $"""
            {entity.EngineName} t
            WHERE t.{Key(entity)} >= span.low AND t.{Key(entity)} < span.high AND NOT t.{Key(entity)} = ANY ($3::bigint[])
              AND t.base IS DISTINCT FROM {BaseSql.Gone}
              AND (t.base IS NOT NULL OR t.{Key(entity)} = ANY (ARRAY(SELECT l.id FROM cdc.sync_log l WHERE {Pending(entity)})))
            """;

    private static string Key(EntityDeclaration entity) => Sql.Identifier(entity.EngineKey);

    private static string Pending(EntityDeclaration entity) =>
        $"l.entity = {Sql.Literal(entity.Name)} AND l.status = 'pending' AND l.action = 'update'";

    private static string AllExplained(EntityDeclaration entity) =>
        string.Join(" AND ", entity.Columns.Select(c => IsExplained(entity, c)));

    private static string IsExplained(EntityDeclaration entity, EngineColumn column) =>
        entity.Reverse!.Merged.Contains(column.Name)
            ? $"(coalesce(t.{Sql.Identifier(column.Name)}, 0) = {Explained(entity, column)})"
            : $"(t.{Sql.Identifier(column.Name)} IS NOT DISTINCT FROM {Explained(entity, column)})";

    /// <summary>What Odoo has and what was added to it, or the value that was written last.</summary>
    private static string Explained(EntityDeclaration entity, EngineColumn column)
    {
        var (odoo, named) = (BaseSql.OdooValue(column, "t"), Sql.Literal(column.Name));
        var pending = $"{Pending(entity)} AND l.id = t.{Key(entity)}";
        string Logged(string state) => $"(l.{state} ->> {named})::{column.Type}";
        return entity.Reverse!.Merged.Contains(column.Name)
            ? $"(coalesce({odoo}, 0) + (SELECT coalesce(sum(coalesce({Logged("after")}, 0) - coalesce({Logged("before")}, 0)), 0) "
                + $"FROM cdc.sync_log l WHERE {pending}))"
            : $"(CASE WHEN EXISTS (SELECT FROM cdc.sync_log l WHERE {pending} AND l.after ? {named}) "
                + $"THEN (SELECT {Logged("after")} FROM cdc.sync_log l WHERE {pending} AND l.after ? {named} ORDER BY l.number DESC LIMIT 1) "
                + $"ELSE {odoo} END)";
    }
}
