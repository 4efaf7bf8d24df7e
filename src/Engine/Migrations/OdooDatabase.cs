using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Migrations;

/// <summary>Whether the engine's connection string leads into Odoo's own database, in which nothing is ever to be made.</summary>
public static class OdooDatabase
{
    /// <summary>Every Odoo has its list of modules, in whatever schema it was installed.</summary>
    private const string InstalledSql = "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'ir_module_module' AND relkind IN ('r', 'p'))";

    // A copy of the loyalty tables alone, as for a test, has all that are declared. From the catalog, which every role may read:
    // to_regclass() fails where the role may not use the schema.
    private const string Sql = """
        WITH tables AS (
            SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')
        )
        SELECT current_database()::text
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) d(source_schema, source_table, engine_schema, engine_table)
        LEFT JOIN tables s ON s.nspname = d.source_schema AND s.relname = d.source_table
        LEFT JOIN tables e ON e.nspname = d.engine_schema AND e.relname = d.engine_table
        HAVING EXISTS (SELECT FROM tables WHERE nspname = 'public' AND relname = 'ir_module_module')
            OR (count(*) > 0 AND bool_and(s.oid IS NOT NULL AND s.oid IS DISTINCT FROM e.oid))
        """;

    /// <summary>An Odoo was installed in this database.</summary>
    public static Task<bool> IsInstalledAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement(InstalledSql).ScalarAsync<bool>(ct);

    /// <returns>Null: it is another database.</returns>
    public static async Task<Finding?> FindAsync(NpgsqlDataSource engine, EntitySet entities, CancellationToken ct)
    {
        await using var command = engine.CreateCommand(Sql);
        command.Parameters.AddWithValue(entities.All.Select(e => e.SourceSchema).ToArray());
        command.Parameters.AddWithValue(entities.All.Select(e => e.SourceTable).ToArray());
        command.Parameters.AddWithValue(entities.All.Select(e => e.EngineSchema).ToArray());
        command.Parameters.AddWithValue(entities.All.Select(e => e.EngineTable).ToArray());
        return await command.ExecuteScalarAsync(ct) is string database
            ? new Finding(
                "engine-is-odoo",
                IsError: true,
                $"Engine:ConnectionString leads to database {database}, which has Odoo's own tables: the engine needs its own database.",
                "Make one (CREATE DATABASE loyalty;), name it in Engine:ConnectionString, then run 'cdc migrate'."
            )
            : null;
    }

    /// <exception cref="CdcException">Configuration: it is Odoo's.</exception>
    public static async Task RefuseAsync(NpgsqlDataSource engine, EntitySet entities, CancellationToken ct)
    {
        if (await FindAsync(engine, entities, ct) is { } odoo)
            throw new CdcException(FailureKind.Configuration, $"{odoo.Message} Nothing was changed.", odoo.Remedy);
    }
}
