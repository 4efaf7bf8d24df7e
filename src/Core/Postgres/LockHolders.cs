using System.Globalization;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>Who keeps a table from being read.</summary>
public static class LockHolders
{
    // pg_locks is open to every role; of the sessions of others it sees who they are, and since when only with pg_read_all_stats. Never
    // what they run: it has values in it. A prepared transaction holds its locks without a session.
    private const string HoldersSql = """
        SELECT l.relation::regclass::text, l.pid, a.usename::text, a.application_name, extract(epoch FROM clock_timestamp() - a.xact_start)::float8
        FROM pg_locks l JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND c.relkind IN ('r', 'p') AND
        """;

    /// <param name="table">Quoted, with its schema.</param>
    /// <returns>A sentence for people; null: nobody does any more.</returns>
    public static async Task<string?> OfTableAsync(NpgsqlConnection connection, string table, CancellationToken ct)
    {
        var holders = await connection.Statement($"{HoldersSql} l.relation = to_regclass($1)", table).RowsAsync(Holder, ct);
        return holders.Count == 0 ? null : $"The lock is held by {string.Join(", and by ", holders.Select(h => h.Holder))}.";
    }

    /// <summary>The same of all tables in a schema.</summary>
    /// <returns>A sentence for people; null: no table is locked.</returns>
    public static async Task<string?> InSchemaAsync(NpgsqlConnection connection, string schema, CancellationToken ct)
    {
        var holders = await connection.Statement($"{HoldersSql} c.relnamespace = to_regnamespace($1)", schema).RowsAsync(Holder, ct);
        return holders.Count == 0 ? null : string.Join(' ', holders.Select(h => $"Table {h.Table} is locked by {h.Holder}."));
    }

    private static (string Table, string Holder) Holder(NpgsqlDataReader row)
    {
        if (row.IsDBNull(1))
            return (row.GetString(0), "a prepared transaction (SELECT * FROM pg_prepared_xacts)");
        var who = new List<string>();
        if (row.Get<string>(2) is { } role)
            who.Add($"role {role}");
        if (row.Get<string>(3) is { Length: > 0 } application)
            who.Add($"application {application}");
        if (row.Double(4) is { } seconds)
            who.Add(string.Create(CultureInfo.InvariantCulture, $"in its transaction for {seconds:0} s"));
        var pid = row.GetInt32(1);
        return (
            row.GetString(0),
            string.Create(
                CultureInfo.InvariantCulture,
                $"the session with pid {pid}{(who.Count == 0 ? "" : $" ({string.Join(", ", who)})")}; 'SELECT pg_terminate_backend({pid})' ends it"
            )
        );
    }
}
