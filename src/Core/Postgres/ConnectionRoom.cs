using Cdc.Core.Failures;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>One limit of a server on connections, and how many of them others have now.</summary>
/// <param name="Name">As PostgreSQL has it, such as <c>max_connections</c>.</param>
/// <param name="Limit">What it is for a role like ours.</param>
/// <param name="Alter">SQL that raises it, up to the number; null: a setting, which needs a restart.</param>
internal sealed record ConnectionLimit(string Name, int Limit, int Taken, string? Alter);

/// <summary>
/// How many connections a server has left for our role: max_connections without what is reserved, and the CONNECTION LIMIT of role and
/// database. A limit that cannot hold all that cdc may open at once shows at the worst time.
/// </summary>
public sealed class ConnectionRoom
{
    // Sessions of other roles are seen without their application name. Our own have one that begins with cdc: they are what is being
    // counted. A logical walsender counts for role and database, though not for max_connections.
    private const string LimitsSql = """
        SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                   - coalesce(current_setting('reserved_connections', true), '0')::int,
               CASE WHEN r.rolsuper THEN -1 ELSE r.rolconnlimit END, CASE WHEN r.rolsuper THEN -1 ELSE d.datconnlimit END,
               count(a.pid)::int, (count(a.pid) FILTER (WHERE a.usesysid = r.oid))::int,
               (count(a.pid) FILTER (WHERE a.datid = d.oid))::int, r.rolname::text, d.datname::text
        FROM pg_roles r JOIN pg_database d ON d.datname = current_database()
        LEFT JOIN pg_stat_activity a ON a.datid IS NOT NULL AND NOT (a.usesysid = r.oid AND coalesce(a.application_name, '') LIKE 'cdc%')
        WHERE r.rolname = current_user GROUP BY r.oid, r.rolname, r.rolsuper, r.rolconnlimit, d.oid, d.datname, d.datconnlimit
        """;

    private readonly IReadOnlyList<ConnectionLimit> _limits;

    private ConnectionRoom(IReadOnlyList<ConnectionLimit> limits) => _limits = limits;

    public static async Task<ConnectionRoom> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.Statement(LimitsSql).RowsAsync(Read, ct)).Single();

    /// <param name="server">In words: source or engine.</param>
    /// <param name="most">Connections of cdc at once, if everything it may do happens together.</param>
    /// <param name="least">Those without which it does not run.</param>
    /// <returns>An error for each limit below <paramref name="least"/>; a warning for one that leaves less than
    /// <paramref name="most"/>.</returns>
    public IEnumerable<Finding> Findings(string server, int most, int least) =>
        _limits
            .Where(l => l.Limit - l.Taken < most)
            .Select(l => new Finding(
                $"{server}-connections",
                IsError: l.Limit < least,
                $"cdc opens up to {most} connections to the {server}, and at least {least}; {l.Name} leaves {Math.Max(0, l.Limit - l.Taken)} "
                    + $"({l.Limit} in all, {l.Taken} taken by others).",
                Remedy(l, l.Taken + most)
            ));

    private static string Remedy(ConnectionLimit limit, int wanted) =>
        limit.Alter is { } alter
            ? $"{alter} CONNECTION LIMIT {wanted};"
            : "ALTER SYSTEM SET max_connections = …; -- then restart the server; or end sessions that are not needed";

    private static ConnectionRoom Read(NpgsqlDataReader row)
    {
        var (role, database) = (row.GetString(6), row.GetString(7));
        ConnectionLimit[] all =
        [
            new("max_connections", row.GetInt32(0), row.GetInt32(3), null),
            new($"the CONNECTION LIMIT of role {role}", row.GetInt32(1), row.GetInt32(4), $"ALTER ROLE {Sql.Identifier(role)}"),
            new(
                $"the CONNECTION LIMIT of database {database}",
                row.GetInt32(2),
                row.GetInt32(5),
                $"ALTER DATABASE {Sql.Identifier(database)}"
            ),
        ];
        // -1: no limit.
        return new ConnectionRoom([.. all.Where(l => l.Limit >= 0)]);
    }
}
