using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Migrations;

/// <summary>Whether the engine's connection string leads into Odoo's own database, in which nothing is ever to be made.</summary>
public static class OdooDatabase
{
    // Every Odoo has its list of modules; a copy of the loyalty tables alone, as for a test, has all that are declared.
    private const string Sql = """
        SELECT current_database()::text FROM unnest($1::text[], $2::text[]) d(name, engine)
        HAVING to_regclass('public.ir_module_module') IS NOT NULL
            OR (count(*) > 0 AND bool_and(to_regclass(d.name) IS NOT NULL AND to_regclass(d.name) IS DISTINCT FROM to_regclass(d.engine)))
        """;

    /// <returns>Null: it is another database.</returns>
    public static async Task<Finding?> FindAsync(NpgsqlDataSource engine, EntitySet entities, CancellationToken ct)
    {
        await using var command = engine.CreateCommand(Sql);
        command.Parameters.AddWithValue(entities.All.Select(e => e.SourceName).ToArray());
        command.Parameters.AddWithValue(entities.All.Select(e => e.EngineName).ToArray());
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
