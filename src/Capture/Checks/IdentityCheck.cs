using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Checks;

/// <summary>
/// Generated columns in a replica identity. From PostgreSQL 18 on a table that is published with such an identity refuses every UPDATE and
/// DELETE, Odoo's own: so it must not come into the publication.
/// </summary>
internal static class IdentityCheck
{
    /// <summary>It is published: only what Odoo does there fails, and all other tables can be followed.</summary>
    public const string Published = "identity-generated";

    /// <summary>Publishing it would break Odoo.</summary>
    private const string NotPublished = "identity-generated-unpublished";

    private const int FirstVersion = 180000;

    // Stored columns are published where the publication says so; virtual ones never.
    private const string TablesSql = """
        SELECT n.nspname::text, c.relname::text, string_agg(a.attname, ', ' ORDER BY a.attnum),
               EXISTS (SELECT FROM pg_publication_tables t WHERE t.pubname = $1 AND t.schemaname = n.nspname AND t.tablename = c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped
        WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest($2::text[], $3::text[]))
            AND (c.relreplident = 'f' OR EXISTS (
                SELECT FROM pg_index i WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey)
                    AND (i.indisreplident AND c.relreplident = 'i' OR i.indisprimary AND c.relreplident = 'd')))
            AND NOT (a.attgenerated = 's' AND EXISTS (SELECT FROM pg_publication p WHERE p.pubname = $1 AND to_jsonb(p) ->> 'pubgencols' = 's'))
        GROUP BY n.nspname, c.relname ORDER BY 1, 2
        """;

    public static async Task<IReadOnlyList<Finding>> FindAsync(
        NpgsqlConnection connection,
        int version,
        string publication,
        EntitySet entities,
        CancellationToken ct
    ) =>
        version < FirstVersion
            ? []
            : await connection
                .Statement(
                    TablesSql,
                    publication,
                    entities.All.Select(e => e.SourceSchema).ToArray(),
                    entities.All.Select(e => e.SourceTable).ToArray()
                )
                .RowsAsync(
                    row =>
                        Found(
                            $"{Sql.Identifier(row.GetString(0))}.{Sql.Identifier(row.GetString(1))}",
                            row.GetString(2),
                            row.GetBoolean(3)
                        ),
                    ct
                );

    private static Finding Found(string table, string columns, bool isPublished) =>
        new(
            isPublished ? Published : NotPublished,
            IsError: true,
            $"The replica identity of {table} has generated columns ({columns}): PostgreSQL 18 refuses Odoo's own UPDATE and DELETE "
                + (isPublished ? "now that it is published." : "once it is published."),
            $"ALTER TABLE {table} REPLICA IDENTITY DEFAULT;"
        );
}
