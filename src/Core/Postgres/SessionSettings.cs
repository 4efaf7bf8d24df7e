using System.Collections.Concurrent;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Core.Postgres;

/// <summary>
/// What every session of cdc sets, independent of the settings of server, database, role and environment. Others may set any of these for
/// good reasons, and each would make us read other rows, write other texts, or end where waiting is right.
/// <para>
/// They are set by a statement after login rather than by the connection string's <c>Options</c>, which PgBouncer refuses; only a
/// replication connection, which takes no statements, has them there. <c>default_transaction_read_only</c> is not among them: it is how a
/// server whose disk is full says that it takes no writes.
/// </para>
/// </summary>
public static class SessionSettings
{
    private static readonly Version Always = new(0, 0);

    private static readonly ConcurrentDictionary<Version, string> Statements = new();

    /// <summary>By name; with the first version of PostgreSQL that has the setting.</summary>
    internal static readonly IReadOnlyList<(string Name, string Value, Version Since)> Pinned =
    [
        // A read that row security would filter is refused (42501). Rows that are not seen would be taken for deleted.
        ("row_security", "off", Always),
        // pg_catalog is searched first unless it is named here.
        ("search_path", "public", Always),
        // Names of the catalog are compared with those of the declaration.
        ("quote_all_identifiers", "off", Always),
        ("standard_conforming_strings", "on", Always),
        ("default_transaction_isolation", "read committed", Always),
        ("default_transaction_deferrable", "off", Always),
        // What may not wait has its own time-out.
        ("statement_timeout", "0", Always),
        ("lock_timeout", "0", Always),
        ("idle_in_transaction_session_timeout", "0", Always),
        ("idle_session_timeout", "0", new Version(14, 0)),
        ("transaction_timeout", "0", new Version(17, 0)),
        // Texts of values are compared between the two servers.
        ("DateStyle", "ISO, MDY", Always),
        ("IntervalStyle", "postgres", Always),
        ("bytea_output", "hex", Always),
        ("extra_float_digits", "1", Always),
    ];

    /// <summary>
    /// What every connection begins with: UTF-8, since Npgsql would take the encoding of PGCLIENTENCODING and read texts of it as UTF-8;
    /// and of several hosts the primary (<see cref="ServerHosts"/>).
    /// </summary>
    public static NpgsqlConnectionStringBuilder Connection(string connectionString) =>
        ServerHosts.Fit(new(connectionString) { ClientEncoding = "UTF8", Encoding = "UTF8" });

    /// <summary>Opens the connection and pins its session.</summary>
    /// <exception cref="SharedSessionException">There is no session of our own: nothing was set.</exception>
    public static async Task OpenPinnedAsync(this NpgsqlConnection connection, CancellationToken ct)
    {
        await connection.OpenAsync(ct);
        await connection.PinAsync(ct);
    }

    /// <summary>
    /// A pool whose sessions are pinned when they are made, and keep it: what a caller sets besides must be local to a transaction.
    /// </summary>
    public static NpgsqlDataSource Pool(NpgsqlConnectionStringBuilder settings)
    {
        // Npgsql would reset a session that is given back, to what role and database say.
        settings.NoResetOnClose = true;
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UsePhysicalConnectionInitializer(
            connection => connection.PinAsync(CancellationToken.None).GetAwaiter().GetResult(),
            connection => connection.PinAsync(CancellationToken.None)
        );
        return builder.BuildFor();
    }

    /// <summary>
    /// Pins the session of an open connection, in one round trip. A pooler costs more: what is set must not reach other clients, such as
    /// Odoo itself.
    /// </summary>
    /// <exception cref="SharedSessionException">There is no session of our own: nothing was set.</exception>
    public static async Task PinAsync(this NpgsqlConnection connection, CancellationToken ct)
    {
        var set = StatementFor(connection.PostgreSqlVersion);
        if (await SetAsync(connection, set, connection.ProcessID, ct))
            return;
        await Pooler.RefuseSharedAsync(connection, ct);
        await SetAsync(connection, set, null, ct);
    }

    /// <summary>
    /// For the connection string's Options, where no statement can be sent. A server refuses a connection with a setting it lacks.
    /// </summary>
    public static IEnumerable<(string Name, string Value)> For(Version server) =>
        Pinned.Where(p => p.Since <= server).Select(p => (p.Name, p.Value));

    /// <param name="pid">Only if it is this backend's; null: in any case.</param>
    private static async Task<bool> SetAsync(NpgsqlConnection connection, string set, int? pid, CancellationToken ct)
    {
        await using var command = connection.Statement(set);
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)pid ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
        return await command.ExecuteScalarAsync(ct) is string;
    }

    private static string StatementFor(Version server) =>
        Statements.GetOrAdd(
            server,
            static version =>
                "SELECT CASE WHEN $1 IS NULL OR $1 = pg_catalog.pg_backend_pid() THEN pg_catalog.concat("
                + string.Join(
                    ", ",
                    For(version).Select(p => $"pg_catalog.set_config({Sql.Literal(p.Name)}, {Sql.Literal(p.Value)}, false)")
                )
                + ") END"
        );
}
