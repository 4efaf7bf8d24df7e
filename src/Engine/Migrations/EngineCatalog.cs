using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Migrations;

/// <summary>What the engine's catalog says about the tables that the entities name.</summary>
public sealed class EngineCatalog
{
    private const string ColumnsQuery = """
        SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.atthasdef OR a.attidentity <> '', a.attgenerated <> '',
               EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND (n.nspname, c.relname) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        ORDER BY n.nspname, c.relname, a.attnum
        """;

    private const string ForeignKeysQuery = """
        SELECT n.nspname, c.relname, a.attname, pn.nspname, p.relname, f.conname, f.confdeltype::text
        FROM pg_constraint f
        JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1]
        WHERE f.contype = 'f' AND (n.nspname, c.relname) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        """;

    private readonly Dictionary<(string Schema, string Table), List<CatalogColumn>> _tables = [];
    private readonly List<CatalogForeignKey> _foreignKeys = [];

    /// <summary>The connected role.</summary>
    public string Role { get; private set; } = "";

    /// <summary>The connected role may switch foreign key triggers off for its session.</summary>
    public bool MaySetReplicationRole { get; private set; }

    public IReadOnlyList<CatalogColumn>? Columns(string schema, string table) => _tables.GetValueOrDefault((schema, table));

    public IEnumerable<CatalogForeignKey> ForeignKeys(string schema, string table) =>
        _foreignKeys.Where(f => f.Schema == schema && f.Table == table);

    public static async Task<EngineCatalog> ReadAsync(NpgsqlDataSource engine, string[] schemas, string[] tables, CancellationToken ct)
    {
        var catalog = new EngineCatalog();
        await using var connection = await engine.OpenConnectionAsync(ct);
        await ReadAsync(connection, ColumnsQuery, schemas, tables, catalog.AddColumn, ct);
        await ReadAsync(connection, ForeignKeysQuery, schemas, tables, catalog.AddForeignKey, ct);
        catalog.Role = await connection.Statement("SELECT current_user::text").ScalarAsync<string>(ct);
        catalog.MaySetReplicationRole = await MaySetReplicationRoleAsync(connection, ct);
        return catalog;
    }

    private static async Task ReadAsync(
        NpgsqlConnection connection,
        string sql,
        string[] schemas,
        string[] tables,
        Action<NpgsqlDataReader> add,
        CancellationToken ct
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue(schemas);
        command.Parameters.AddWithValue(tables);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            add(reader);
    }

    private static async Task<bool> MaySetReplicationRoleAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        // Before 15 only a superuser may; the function that answers this came with the privilege.
        var sql =
            connection.PostgreSqlVersion.Major >= 15
                ? "SELECT has_parameter_privilege(current_user, 'session_replication_role', 'SET')"
                : "SELECT current_setting('is_superuser') = 'on'";
        await using var command = new NpgsqlCommand(sql, connection);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    private void AddColumn(NpgsqlDataReader row)
    {
        var key = (row.GetString(0), row.GetString(1));
        if (!_tables.TryGetValue(key, out var columns))
            _tables[key] = columns = [];
        columns.Add(
            new CatalogColumn(
                row.GetString(2),
                row.GetString(3),
                row.GetBoolean(4),
                row.GetBoolean(5),
                row.GetBoolean(6),
                row.GetBoolean(7)
            )
        );
    }

    private void AddForeignKey(NpgsqlDataReader row) =>
        _foreignKeys.Add(
            new CatalogForeignKey(
                row.GetString(0),
                row.GetString(1),
                row.GetString(2),
                row.GetString(3),
                row.GetString(4),
                row.GetString(5),
                row.GetString(6) is "c" or "n" or "d"
            )
        );
}

/// <param name="Type">As PostgreSQL writes it, such as <c>numeric(18,2)</c>.</param>
/// <param name="IsKey">The table's whole primary key.</param>
public sealed record CatalogColumn(string Name, string Type, bool NotNull, bool HasDefault, bool IsGenerated, bool IsKey);

/// <param name="ActsOnDelete">ON DELETE CASCADE, SET NULL or SET DEFAULT.</param>
public sealed record CatalogForeignKey(
    string Schema,
    string Table,
    string Column,
    string ParentSchema,
    string ParentTable,
    string Name,
    bool ActsOnDelete
);
