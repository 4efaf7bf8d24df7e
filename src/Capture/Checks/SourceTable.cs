using Cdc.Capture.Source;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Npgsql;

namespace Cdc.Capture.Checks;

internal sealed record TableColumn(string Name, uint TypeOid, string TypeName, bool IsGenerated);

/// <summary>A declared table as the source's catalog has it.</summary>
/// <param name="Kind">pg_class.relkind.</param>
/// <param name="Identity">pg_class.relreplident: d(efault), f(ull), i(ndex), n(othing).</param>
/// <param name="PrimaryKey">Its columns; empty without one.</param>
/// <param name="IdentityIndex">Columns of the REPLICA IDENTITY USING INDEX; empty without one.</param>
/// <param name="HidesRows">Row security applies to our role: reads would not see everything that the stream brings.</param>
internal sealed record SourceTable(
    char Kind,
    char Persistence,
    char Identity,
    bool MayUseSchema,
    bool MaySelect,
    bool IsOwner,
    bool HidesRows,
    IReadOnlyList<string> PrimaryKey,
    IReadOnlyList<string> IdentityIndex,
    IReadOnlyList<TableColumn> Columns
)
{
    private const string TableSql = """
        SELECT c.oid, c.relkind::text, c.relpersistence::text, c.relreplident::text,
               has_schema_privilege(n.oid, 'USAGE'), has_table_privilege(c.oid, 'SELECT'),
               pg_has_role(c.relowner, 'USAGE'),
               c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE'))
                   AND NOT (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2
        """;

    private const string IndexSql = """
        SELECT i.indisprimary, i.indisreplident, a.attname::text
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = $1 AND (i.indisprimary OR i.indisreplident) AND i.indisvalid
        """;

    private const string ColumnSql = """
        SELECT attname::text, atttypid, format_type(atttypid, atttypmod), attgenerated <> ''
        FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
        """;

    /// <returns>Null if there is no such table.</returns>
    public static async Task<SourceTable?> ReadAsync(NpgsqlConnection connection, EntityDeclaration entity, CancellationToken ct)
    {
        var found = await connection.Statement(TableSql, entity.SourceSchema, entity.SourceTable).RowsAsync(Head, ct);
        if (found is not [var (oid, table)])
            return null;
        var indexes = await connection
            .Statement(IndexSql, oid)
            .RowsAsync(row => (Primary: row.GetBoolean(0), Identity: row.GetBoolean(1), Column: row.GetString(2)), ct);
        return table with
        {
            PrimaryKey = [.. indexes.Where(i => i.Primary).Select(i => i.Column)],
            IdentityIndex = [.. indexes.Where(i => i.Identity).Select(i => i.Column)],
            Columns = await connection.Statement(ColumnSql, oid).RowsAsync(Column, ct),
        };
    }

    private static (uint, SourceTable) Head(NpgsqlDataReader row) =>
        (
            row.GetFieldValue<uint>(0),
            new SourceTable(
                row.GetString(1)[0],
                row.GetString(2)[0],
                row.GetString(3)[0],
                row.GetBoolean(4),
                row.GetBoolean(5),
                row.GetBoolean(6),
                row.GetBoolean(7),
                [],
                [],
                []
            )
        );

    private static TableColumn Column(NpgsqlDataReader row) =>
        new(row.GetString(0), row.GetFieldValue<uint>(1), row.GetString(2), row.GetBoolean(3));
}
