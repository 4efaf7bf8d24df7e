using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Capture.Tables;

/// <summary>Reads the declared tables and the publication from the source's catalog, in one round trip.</summary>
internal static class CatalogReader
{
    /// <summary>$1 schemas, $2 tables; place from 0.</summary>
    private const string Declared = """
        WITH declared AS (
            SELECT (d.place - 1)::int AS place, c.* FROM unnest($1::text[], $2::text[]) WITH ORDINALITY d(schema_name, table_name, place)
            JOIN pg_namespace n ON n.nspname = d.schema_name
            JOIN (SELECT oid AS relation, * FROM pg_class) c ON c.relnamespace = n.oid AND c.relname = d.table_name)
        """;

    /// <summary>
    /// What tells of a change that is over already is a row version (xmin) of the catalog: that of the table's row type changes with the
    /// table's name and schema, and with nothing else but its owner. $3 publication.
    /// </summary>
    private const string TableSql = $"""
        {Declared}
        SELECT c.place, c.relation, c.relfilenode, c.relkind::text, c.relpersistence::text, c.relreplident::text,
               current_user::text, coalesce(has_schema_privilege(c.relnamespace, 'USAGE'), false),
               coalesce(has_table_privilege(c.relation, 'SELECT'), false), pg_has_role(c.relowner, 'USAGE'), row_security_active(c.relation),
               coalesce((SELECT r.oid FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.relation), 0)::oid,
               concat_ws('/', p.oid, p.xmin, (SELECT t.xmin FROM pg_type t WHERE t.oid = c.reltype),
                   (SELECT string_agg(r.oid::text, ',' ORDER BY r.oid) FROM pg_publication_rel r WHERE r.prpubid = p.oid
                    AND r.prrelid IN (SELECT a.relid FROM pg_partition_ancestors(c.relation) a WHERE a.relid <> c.relation))),
               concat_ws('/', (SELECT v.xmin FROM pg_class v WHERE v.oid = c.relation),
                   (SELECT string_agg(a.xmin::text, ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.relation AND a.attnum > 0),
                   (SELECT string_agg(concat(i.indexrelid, ':', i.xmin), ',' ORDER BY i.indexrelid) FROM pg_index i WHERE i.indrelid = c.relation)),
               ARRAY(SELECT h.inhrelid::regclass::text FROM pg_inherits h JOIN pg_class k ON k.oid = h.inhrelid
                     WHERE h.inhparent = c.relation AND NOT k.relispartition ORDER BY 1)
        FROM declared c LEFT JOIN pg_publication p ON p.pubname = $3
        """;

    /// <summary>Columns beyond indnkeyatts are only included, and identify nothing.</summary>
    private const string IndexSql = $"""
        {Declared}
        SELECT c.place, i.indisprimary, i.indisreplident, i.indimmediate, a.attname::text
        FROM declared c JOIN pg_index i ON i.indrelid = c.relation
        JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place) ON k.place <= i.indnkeyatts
        JOIN pg_attribute a ON a.attrelid = c.relation AND a.attnum = k.number
        WHERE (i.indisprimary OR i.indisreplident) AND i.indisvalid ORDER BY c.place, k.place
        """;

    private const string ColumnSql = $"""
        {Declared}
        SELECT c.place, a.attname::text, a.attnum, a.atttypid, format_type(a.atttypid, a.atttypmod), a.atttypmod, a.atthasmissing,
               a.attgenerated::text
        FROM declared c JOIN pg_attribute a ON a.attrelid = c.relation
        WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY c.place, a.attnum
        """;

    /// <summary>What only newer versions have is taken out of the row's JSON, so that one text serves them all.</summary>
    private const string PublicationSql = """
        SELECT p.pubname::text, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,
               pg_has_role(p.pubowner, 'USAGE'), coalesce(to_jsonb(p) ->> 'pubgencols' = 's', false)
        FROM pg_publication p WHERE p.pubname = $3
        """;

    /// <summary>
    /// The view says what every form of a publication comes to. A partition may come under the name of a table that it is a partition of.
    /// From 16 on it opens every table of the publication, each for a moment: it waits for DDL of any of them.
    /// </summary>
    private const string MemberSql = $"""
        {Declared}
        SELECT c.place, m.relation = c.relation, m.name, m.filtered, m.columns
        FROM (SELECT k.oid AS relation, format('%I.%I', t.schemaname, t.tablename) AS name, to_jsonb(t) ->> 'rowfilter' IS NOT NULL AS filtered,
                     CASE WHEN to_jsonb(t) ? 'attnames'
                          THEN ARRAY(SELECT jsonb_array_elements_text(nullif(to_jsonb(t) -> 'attnames', 'null'))) END AS columns
              FROM pg_publication_tables t JOIN pg_namespace n ON n.nspname = t.schemaname
              JOIN pg_class k ON k.relnamespace = n.oid AND k.relname = t.tablename WHERE t.pubname = $3) m
        JOIN declared c ON c.relation = m.relation
             OR (c.relispartition AND m.relation IN (SELECT a.relid FROM pg_partition_ancestors(c.relation) a))
        """;

    /// <summary>Entries of whole schemas exist from 15 on.</summary>
    private const string SchemaEntrySql = $"""
        {Declared}
        SELECT c.place, s.oid::text FROM declared c JOIN pg_publication p ON p.pubname = $3
        JOIN pg_publication_namespace s ON s.pnpubid = p.oid AND s.pnnspid = c.relnamespace
        """;

    private const int FirstWithSchemas = 15;
    private const int FirstThatRefusesUnsentIdentities = 18;

    /// <summary>Not in a transaction that holds a lock on a table: see <see cref="ReadLockedAsync"/>.</summary>
    public static Task<SourceCatalog> ReadAsync(
        NpgsqlConnection connection,
        string publication,
        IReadOnlyList<EntityDeclaration> entities,
        CancellationToken ct
    ) => ReadAsync(connection, publication, entities, null, ct);

    /// <summary>
    /// The same in a transaction that has locked tables, without a further lock. While the view waits for one table, a transaction of
    /// Odoo's that has locked that one may wait for ours: PostgreSQL ends one of the two, which may be Odoo's.
    /// </summary>
    /// <param name="before">Read before the lock was taken: it says what the publication has. No lock on a table holds that.</param>
    public static Task<SourceCatalog> ReadLockedAsync(
        NpgsqlConnection connection,
        string publication,
        IReadOnlyList<EntityDeclaration> entities,
        SourceCatalog before,
        CancellationToken ct
    ) => ReadAsync(connection, publication, entities, before, ct);

    private static async Task<SourceCatalog> ReadAsync(
        NpgsqlConnection connection,
        string publication,
        IReadOnlyList<EntityDeclaration> entities,
        SourceCatalog? before,
        CancellationToken ct
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        string[] statements = [TableSql, IndexSql, ColumnSql, PublicationSql];
        if (before is null)
            statements = [.. statements, MemberSql];
        foreach (var sql in connection.PostgreSqlVersion.Major >= FirstWithSchemas ? statements.Append(SchemaEntrySql) : statements)
            batch.BatchCommands.Add(
                Statements.BatchStatement(
                    sql,
                    Texts(entities.Select(e => e.SourceSchema)),
                    Texts(entities.Select(e => e.SourceTable)),
                    publication
                )
            );
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var tables = new CatalogTable?[entities.Count];
        await EachAsync(reader, row => tables[row.GetInt32(0)] = Table(row), ct);
        await NextAsync(reader, tables, AddIndex, ct);
        await NextAsync(reader, tables, (table, row) => table with { Columns = [.. table.Columns, Column(row)] }, ct);
        CatalogPublication? found = null;
        await reader.NextResultAsync(ct);
        await EachAsync(reader, row => found = Publication(row), ct);
        if (before is null)
            await NextAsync(reader, tables, (table, row) => table with { Membership = MembershipOf(row) }, ct);
        else
            tables = [.. tables.Select((t, i) => t is null ? null : t with { Membership = before.MembershipOf(entities[i], t.Oid) })];
        await NextAsync(reader, tables, (table, row) => table with { Bearing = $"{table.Bearing}/{row.GetString(1)}" }, ct);
        if (connection.PostgreSqlVersion.Major >= FirstThatRefusesUnsentIdentities)
            tables = [.. tables.Select(t => t?.WithUnsentIdentity(found is { WithGenerated: true }))];
        return new SourceCatalog(found, [.. entities.Select((e, i) => (e, tables[i]))]);
    }

    private static async Task EachAsync(NpgsqlDataReader reader, Action<NpgsqlDataReader> take, CancellationToken ct)
    {
        while (await reader.ReadAsync(ct))
            take(reader);
    }

    /// <summary>The rows of the next statement, each of which adds something to the table at its place.</summary>
    private static async Task NextAsync(
        NpgsqlDataReader reader,
        CatalogTable?[] tables,
        Func<CatalogTable, NpgsqlDataReader, CatalogTable> add,
        CancellationToken ct
    )
    {
        if (!await reader.NextResultAsync(ct))
            return;
        // A table that was made between two statements is seen whole next time.
        await EachAsync(reader, row => tables[row.GetInt32(0)] = tables[row.GetInt32(0)] is { } table ? add(table, row) : null, ct);
    }

    private static CatalogTable Table(NpgsqlDataReader row) =>
        new(
            row.GetFieldValue<uint>(1),
            row.GetFieldValue<uint>(2),
            row.GetString(3)[0],
            row.GetString(4)[0],
            row.GetString(5)[0],
            new TableRights(row.GetString(6), row.GetBoolean(7), row.GetBoolean(8), row.GetBoolean(9), row.GetBoolean(10))
        )
        {
            Entry = row.GetFieldValue<uint>(11),
            Bearing = row.GetString(12),
            Version = row.GetString(13),
            Children = row.GetFieldValue<string[]>(14),
        };

    private static CatalogTable AddIndex(CatalogTable table, NpgsqlDataReader row)
    {
        var column = row.GetString(4);
        var isImmediate = row.GetBoolean(3);
        if (row.GetBoolean(1))
            table = table with { PrimaryKey = new KeyIndex([.. table.PrimaryKey?.Columns ?? [], column], isImmediate) };
        if (row.GetBoolean(2))
            table = table with { IdentityIndex = new KeyIndex([.. table.IdentityIndex?.Columns ?? [], column], isImmediate) };
        return table;
    }

    private static CatalogColumn Column(NpgsqlDataReader row) =>
        new(
            row.GetString(1),
            row.GetInt16(2),
            row.GetFieldValue<uint>(3),
            row.GetString(4),
            row.GetInt32(5),
            row.GetBoolean(6),
            row.GetString(7) is [var generated, ..] ? generated : null
        );

    private static Membership MembershipOf(NpgsqlDataReader row) =>
        new(row.GetBoolean(3), row.Get<string[]>(4), row.GetBoolean(1) ? null : row.GetString(2));

    private static CatalogPublication Publication(NpgsqlDataReader row) =>
        new(
            row.GetString(0),
            row.GetBoolean(1),
            row.GetBoolean(2),
            row.GetBoolean(3),
            row.GetBoolean(4),
            row.GetBoolean(5),
            row.GetBoolean(6),
            row.GetBoolean(7),
            row.GetBoolean(8)
        );

    private static NpgsqlParameter Texts(IEnumerable<string> values) =>
        new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
}
