using Cdc.Core.Failures;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>Functions that PostgreSQL lets every role call, where an administrator has revoked that.</summary>
public static class FunctionPrivileges
{
    private const string Sql = """
        SELECT p.oid::regprocedure::text, current_user::text FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY ($1) AND NOT has_function_privilege(p.oid, 'EXECUTE')
        ORDER BY 1
        """;

    /// <param name="code">Of the findings.</param>
    /// <param name="functions">Names without schema and arguments; all functions of a name count.</param>
    /// <returns>One error for each that the connected role may not call.</returns>
    public static async Task<IReadOnlyList<Finding>> MissingAsync(
        NpgsqlConnection connection,
        string code,
        string[] functions,
        CancellationToken ct
    ) => await connection.Statement(Sql, [functions]).RowsAsync(row => Missing(code, row.GetString(0), row.GetString(1)), ct);

    private static Finding Missing(string code, string function, string role) =>
        new(
            code,
            IsError: true,
            $"Role {role} may not call {function}.",
            $"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO {Postgres.Sql.Identifier(role)}; -- as a superuser"
        );
}
