using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Source;

/// <summary>Reads the declared tables from the source's catalog.</summary>
internal static class TableProbe
{
    /// <summary>Pages below which a table is counted rather than estimated.</summary>
    private const int SmallPages = 1024;

    /// <summary>$3 the key. Of several unique indexes one that is checked at each row is enough.</summary>
    private const string DeferredSql = """
        (SELECT coalesce(bool_and(NOT i.indimmediate), false) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
         WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND a.attname = $3)
        """;

    /// <summary>Reads only the catalog: a size would wait for an ALTER TABLE.</summary>
    private const string CatalogSql = $"""
        SELECT c.oid, c.relfilenode, 0::float4, 0, 0::bigint, row_security_active(c.oid),
               has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), {DeferredSql}
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
        """;

    private const string TableSql = $"""
        SELECT c.oid, c.relfilenode, c.reltuples, c.relpages,
               pg_relation_size(c.oid) / current_setting('block_size')::int AS pages, row_security_active(c.oid),
               has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), {DeferredSql}
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2
        """;

    private const string ColumnSql = """
        SELECT attname::text, attnum, atttypid, atthasmissing
        FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attname = ANY ($2) ORDER BY attnum
        """;

    /// <summary>By entity; null where the table does not exist. Takes no lock on the tables, and knows nothing of their sizes.</summary>
    public static Task<IReadOnlyList<ProbedTable?>> ReadCatalogAsync(
        NpgsqlConnection connection,
        EntitySet entities,
        CancellationToken ct
    ) => ReadAsync(connection, entities, CatalogSql, (_, _) => Task.FromResult(0L), ct);

    /// <summary>By entity; null where the table does not exist.</summary>
    public static Task<IReadOnlyList<ProbedTable?>> ReadAsync(NpgsqlConnection connection, EntitySet entities, CancellationToken ct) =>
        ReadAsync(connection, entities, TableSql, async (size, entity) => size.Estimate ?? await CountAsync(connection, entity, ct), ct);

    private static async Task<IReadOnlyList<ProbedTable?>> ReadAsync(
        NpgsqlConnection connection,
        EntitySet entities,
        string sql,
        Func<Size, EntityDeclaration, Task<long>> rows,
        CancellationToken ct
    )
    {
        var tables = new ProbedTable?[entities.Count];
        foreach (var entity in entities.All)
            tables[entity.Index] = await ReadAsync(connection, entity, sql, rows, ct);
        return tables;
    }

    private static async Task<ProbedTable?> ReadAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        string sql,
        Func<Size, EntityDeclaration, Task<long>> rows,
        CancellationToken ct
    )
    {
        var found = await connection.Statement(sql, entity.SourceSchema, entity.SourceTable, entity.Key.Name).RowsAsync(Size.Read, ct);
        if (found is not [var size])
            return null;
        string[] names = [.. entity.SourceColumns.Select(c => c.Name)];
        var columns = await connection.Statement(ColumnSql, size.Oid, names).RowsAsync(Column, ct);
        return new ProbedTable(
            size.Oid,
            size.FileNode,
            columns,
            await rows(size, entity),
            size.HidesRows,
            size.MaySelect,
            size.HasDeferredKey
        );
    }

    private static Task<long> CountAsync(NpgsqlConnection connection, EntityDeclaration entity, CancellationToken ct) =>
        connection.Statement($"SELECT count(*) FROM ONLY {entity.SourceName}").ScalarAsync<long>(ct);

    private static ProbedColumn Column(NpgsqlDataReader row) =>
        new(row.GetString(0), row.GetInt16(1), row.GetFieldValue<uint>(2), row.GetBoolean(3));

    private sealed record Size(
        uint Oid,
        uint FileNode,
        float Tuples,
        int AnalyzedPages,
        long Pages,
        bool HidesRows,
        bool MaySelect,
        bool HasDeferredKey
    )
    {
        /// <summary>As the planner does it: density when last analyzed, times pages now.</summary>
        public long? Estimate =>
            Pages < SmallPages || Tuples < 0 || AnalyzedPages == 0 ? null : (long)(Tuples / (double)AnalyzedPages * Pages);

        public static Size Read(NpgsqlDataReader row) =>
            new(
                row.GetFieldValue<uint>(0),
                row.GetFieldValue<uint>(1),
                row.GetFloat(2),
                row.GetInt32(3),
                row.GetInt64(4),
                row.GetBoolean(5),
                // NULL: it was dropped just now.
                row.IsDBNull(6) || row.GetBoolean(6),
                row.GetBoolean(7)
            );
    }
}
