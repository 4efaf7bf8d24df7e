using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Migrations;

/// <summary>
/// Row security on the engine's tables, which hosted platforms advise for everything in schema public. Where it applies to our role,
/// PostgreSQL refuses to read and to COPY: what it would hide or refuse would be rows that are missing.
/// </summary>
public static class EngineRowSecurity
{
    private const string HiddenSql = """
        SELECT n.nspname::text, c.relname::text, current_user::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN unnest($1::text[], $2::text[]) AS declared(schema, name) ON declared.schema = n.nspname AND declared.name = c.relname
        WHERE row_security_active(c.oid) ORDER BY 1, 2
        """;

    public static async Task<IReadOnlyList<Finding>> FindAsync(NpgsqlConnection engine, EntitySet entities, CancellationToken ct) =>
        await engine
            .Statement(HiddenSql, entities.All.Select(e => e.EngineSchema).ToArray(), entities.All.Select(e => e.EngineTable).ToArray())
            .RowsAsync(row => Of(row.GetString(0), row.GetString(1), row.GetString(2)), ct);

    private static Finding Of(string schema, string table, string role) =>
        new(
            "engine-row-security",
            IsError: true,
            $"Row security of {schema}.{table} applies to role {role}: PostgreSQL refuses to write and to read there.",
            $"ALTER ROLE {Sql.Identifier(role)} BYPASSRLS;"
        );
}
