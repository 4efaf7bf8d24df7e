using Cdc.Core.Failures;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>
/// Why a session of now takes no writes, before one is refused: everything that only reads works all the same, so a check that asks for
/// nothing else would call the server ready.
/// </summary>
public static class WriteRefusal
{
    // The setting is that of this very session: its source says who made it so, as pg_settings names it.
    private const string Sql = """
        SELECT pg_is_in_recovery(), setting = 'on', source, current_database()::text, session_user::text
        FROM pg_settings WHERE name = 'default_transaction_read_only'
        """;

    /// <returns>Null: it takes writes. Else an error that <c>cdc run</c> waits out: such as <c>engine-read-only</c>.</returns>
    public static async Task<Finding?> FindAsync(NpgsqlConnection connection, Server server, CancellationToken ct) =>
        (
            await connection
                .Statement(Sql)
                .RowsAsync(
                    row =>
                        row.GetBoolean(0) ? Standby(server)
                        : row.GetBoolean(1) ? ReadOnly(server, row.GetString(2), row.GetString(3), row.GetString(4))
                        : null,
                    ct
                )
        ).Single();

    internal static Finding Standby(Server server) =>
        Of(
            server,
            "it is a standby",
            $"Name the primary in {Option(server)} (several hosts, separated by commas: it is found among them). Where a failover is meant to "
                + "make this one the primary, finish it: first make sure that the old primary is down and cannot come back, since two that take "
                + "writes cannot be joined again; then SELECT pg_promote(); on this one."
        );

    /// <param name="source">Who set it, as pg_settings names it.</param>
    internal static Finding ReadOnly(Server server, string source, string database, string role)
    {
        var (of, alter) = source switch
        {
            "database" => ($"database {database}", $"ALTER DATABASE {Postgres.Sql.Identifier(database)}"),
            "user" => ($"role {role}", $"ALTER ROLE {Postgres.Sql.Identifier(role)}"),
            "database user" => (
                $"role {role} in database {database}",
                $"ALTER ROLE {Postgres.Sql.Identifier(role)} IN DATABASE {Postgres.Sql.Identifier(database)}"
            ),
            "global" => ("all roles", "ALTER ROLE ALL"),
            "client" => ($"the sessions of {Option(server)} (Options, or PGOPTIONS)", null),
            "command line" or "environment variable" => ($"the server (by its {source})", null),
            _ => ("the server", null),
        };
        var why = $"default_transaction_read_only is on for {of}";
        if (alter is not null)
            // Such a statement is refused too, where it is not told otherwise.
            return Of(server, why, $"BEGIN READ WRITE; {alter} RESET default_transaction_read_only; COMMIT;");
        return Of(
            server,
            why,
            source switch
            {
                "client" => $"Take it out of {Option(server)}, or of the environment.",
                "command line" or "environment variable" => $"Take it out of the server's {source}, and restart it.",
                // Platforms write it there when a disk is nearly full.
                _ =>
                    "ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf(); (and take it out of postgresql.conf, if it is "
                        + "there). If the platform has switched it on because the disk is full, make room first.",
            }
        );
    }

    private static Finding Of(Server server, string why, string remedy)
    {
        var (word, code) = server == Server.Source ? ("source", "source-read-only") : ("engine", "engine-read-only");
        return new Finding(code, IsError: true, $"The {word} takes no writes now: {why}.", remedy) { Kind = FailureKind.Unavailable };
    }

    private static string Option(Server server) => server == Server.Source ? "Source:ConnectionString" : "Engine:ConnectionString";
}
