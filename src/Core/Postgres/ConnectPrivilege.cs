using Cdc.Core.Failures;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>A login that succeeds, into a database that the role may not connect to.</summary>
public static class ConnectPrivilege
{
    /// <param name="failure">Of opening a connection.</param>
    /// <returns>Null: it failed for another reason.</returns>
    public static Finding? Missing(Server server, Exception failure, NpgsqlConnectionStringBuilder settings) =>
        // Of a statement it is an ERROR.
        failure is PostgresException { InvariantSeverity: "FATAL" } e
        && SqlStates.Of(e.SqlState) == SqlStateClass.Privilege
            ? new Finding(
                server == Server.Source ? "source-connect" : "engine-connect",
                IsError: true,
                $"Role {settings.Username} may not connect to database {settings.Database}.",
                $"GRANT CONNECT ON DATABASE {Sql.Identifier(settings.Database ?? "")} TO {Sql.Identifier(settings.Username ?? "")};"
            )
            : null;
}
