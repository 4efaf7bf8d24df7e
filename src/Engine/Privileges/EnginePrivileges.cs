using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine.Migrations;
using Npgsql;

namespace Cdc.Engine.Privileges;

/// <summary>
/// What the role of <c>Engine:ConnectionString</c> may not do, each with the GRANT that lets it. Asked of the catalog, which every role may
/// read: whatever else is checked may fail for the lack of one of these.
/// </summary>
public sealed class EnginePrivileges
{
    private const string Schema = "engine-schema-usage";
    internal const string Table = "engine-table-privilege";

    /// <summary>By <see cref="FunctionPrivileges"/>: fences and announcements, and the locks by which processes stay apart.</summary>
    private static readonly string[] Functions = ["pg_notify", "pg_advisory_xact_lock", "pg_try_advisory_lock"];

    private const string RoleSql = """
        SELECT current_user::text, current_database()::text, has_database_privilege(current_database(), 'TEMPORARY'),
               has_database_privilege(current_database(), 'CREATE'),
               coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'public'), false),
               ARRAY(SELECT p.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace p ON p.oid = c.relnamespace
                     WHERE p.nspname = 'public' AND c.relkind = 'r' AND c.relname LIKE 'cdc\_%migrations'
                         AND NOT has_table_privilege(c.oid, 'SELECT') ORDER BY 1),
               n.oid IS NOT NULL, coalesce(pg_has_role(n.nspowner, 'USAGE'), true), pg_get_userbyid(n.nspowner)::text
        FROM (SELECT) one LEFT JOIN pg_namespace n ON n.nspname = $1
        """;

    private const string SchemaSql =
        "SELECT nspname::text FROM pg_namespace WHERE nspname = ANY ($1) AND NOT has_schema_privilege(oid, 'USAGE') ORDER BY 1";

    // $1 our schema, $2 and $3 schemas and tables of the entities with $4 their columns, one row for each. Of those only the declared columns
    // count: rights on single columns are enough.
    private const string TableSql = """
        WITH wanted(place, privilege) AS (VALUES (1, 'SELECT'), (2, 'INSERT'), (3, 'UPDATE'), (4, 'DELETE')),
        declared AS (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]) d(schema_name, table_name, column_name)),
        missing AS (
            SELECT c.oid, w.place, w.privilege FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN wanted w ON c.relkind IN ('r', 'p') OR w.privilege = 'SELECT'
            WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v') AND NOT has_table_privilege(c.oid, w.privilege)
            UNION
            SELECT c.oid, w.place, w.privilege FROM declared d
            JOIN pg_namespace n ON n.nspname = d.schema_name
            JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = d.table_name AND c.relkind IN ('r', 'p')
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = d.column_name AND NOT a.attisdropped
            JOIN wanted w ON CASE w.privilege WHEN 'DELETE' THEN NOT has_table_privilege(c.oid, 'DELETE')
                                              ELSE NOT has_column_privilege(c.oid, a.attnum, w.privilege) END
        ),
        by_table AS (SELECT oid, string_agg(privilege, ', ' ORDER BY place) AS privileges FROM missing GROUP BY oid)
        SELECT b.privileges, n.nspname::text, c.relname::text
        FROM by_table b JOIN pg_class c ON c.oid = b.oid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 2, 3
        """;

    private const string RowSecuritySql = """
        SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND row_security_active(c.oid)
            AND (n.nspname = $1 OR (n.nspname, c.relname) IN (SELECT * FROM unnest($2::text[], $3::text[])))
        ORDER BY 1, 2
        """;

    private readonly EngineRights _role;

    private EnginePrivileges(EngineRights role, IReadOnlyList<Finding> missing) => (_role, Missing) = (role, missing);

    /// <summary>Errors: without these <c>cdc run</c> stops where it needs them.</summary>
    public IReadOnlyList<Finding> Missing { get; }

    /// <summary>False: the schema's version cannot be read before some of <see cref="Missing"/> are granted.</summary>
    public bool CanReadVersion => _role.HiddenVersions.Count == 0 && !Missing.Any(m => m.Code == Schema);

    public static async Task<EnginePrivileges> ReadAsync(NpgsqlConnection connection, EntitySet entities, CancellationToken ct)
    {
        var role = (await connection.Statement(RoleSql, EngineGrants.Schema).RowsAsync(EngineRights.Read, ct)).Single();
        return new EnginePrivileges(
            role,
            [
                .. role.OnDatabase(),
                .. await SchemasAsync(connection, entities, role, ct),
                .. await TablesAsync(connection, entities, role, ct),
                .. await RowSecurityAsync(connection, entities, role, ct),
                .. await FunctionPrivileges.MissingAsync(connection, "engine-function", Functions, ct),
            ]
        );
    }

    /// <summary>Where migrations are pending: what keeps this role from running <c>cdc migrate</c>. Warnings, because another role may do it.</summary>
    public IEnumerable<Finding> ToMigrate() => _role.ToMigrate();

    private static async Task<IEnumerable<Finding>> SchemasAsync(
        NpgsqlConnection connection,
        EntitySet entities,
        EngineRights role,
        CancellationToken ct
    )
    {
        string[] schemas = [EngineGrants.Schema, "public", .. entities.All.Select(e => e.EngineSchema).Distinct()];
        var closed = await connection.Statement(SchemaSql, [schemas]).RowsAsync(row => Sql.Identifier(row.GetString(0)), ct);
        return closed.Select(schema =>
            Error(
                Schema,
                $"Role {role.Name} may not use schema {schema} of the engine.",
                $"GRANT USAGE ON SCHEMA {schema} TO {role.Grantee};"
            )
        );
    }

    /// <summary>One finding for all tables that lack the same.</summary>
    private static async Task<IEnumerable<Finding>> TablesAsync(
        NpgsqlConnection connection,
        EntitySet entities,
        EngineRights role,
        CancellationToken ct
    )
    {
        var columns = entities
            .All.SelectMany(e => DeclaredTable.WrittenColumns(e).Select(c => (e.EngineSchema, e.EngineTable, Column: c)))
            .ToList();
        var lacking = await connection
            .Statement(
                TableSql,
                EngineGrants.Schema,
                columns.Select(c => c.EngineSchema).ToArray(),
                columns.Select(c => c.EngineTable).ToArray(),
                columns.Select(c => c.Column).ToArray()
            )
            .RowsAsync(row => (Privileges: row.GetString(0), Table: Name(row, 1)), ct);
        return lacking
            .GroupBy(l => l.Privileges, l => l.Table)
            .Select(group =>
                Error(
                    Table,
                    $"Role {role.Name} lacks {group.Key} on {group.Count()} of the engine's tables: {string.Join(", ", group)}.",
                    $"GRANT {group.Key} ON {string.Join(", ", group)} TO {role.Grantee}; -- as their owner; 'cdc grants engine' prints all of them"
                )
            );
    }

    private static async Task<IEnumerable<Finding>> RowSecurityAsync(
        NpgsqlConnection connection,
        EntitySet entities,
        EngineRights role,
        CancellationToken ct
    )
    {
        var hidden = await connection
            .Statement(
                RowSecuritySql,
                EngineGrants.Schema,
                entities.All.Select(e => e.EngineSchema).ToArray(),
                entities.All.Select(e => e.EngineTable).ToArray()
            )
            .RowsAsync(row => Name(row, 0), ct);
        return hidden.Count == 0
            ? []
            :
            [
                Error(
                    "engine-row-security",
                    $"Row security of {string.Join(", ", hidden)} applies to role {role.Name}: it would not see, or could not write, every row.",
                    $"ALTER ROLE {role.Grantee} BYPASSRLS; -- as a superuser; or ALTER TABLE … DISABLE ROW LEVEL SECURITY"
                ),
            ];
    }

    private static string Name(NpgsqlDataReader row, int schema) =>
        $"{Sql.Identifier(row.GetString(schema))}.{Sql.Identifier(row.GetString(schema + 1))}";

    internal static Finding Error(string code, string message, string remedy) => new(code, IsError: true, message, remedy);
}
