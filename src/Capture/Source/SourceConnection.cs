using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Source;

/// <summary>
/// Ordinary SQL connections to Odoo's database. Not from a pool: after a restart of the server it would hand out one dead connection after
/// the other, and each would cost a session.
/// </summary>
internal static class SourceConnection
{
    private const string IdentitySql =
        "SELECT system_identifier::text, (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) FROM pg_control_system()";

    // From the catalog, which every role may read.
    private const string MayReadUuidSql = """
        SELECT EXISTS (
            SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE n.nspname = 'public' AND c.relname = 'ir_config_parameter' AND c.relkind = 'r' AND a.attname IN ('key', 'value')
                AND NOT row_security_active(c.oid) AND has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
            HAVING count(*) = 2)
        """;

    private const string UuidSql = "SELECT value::text FROM public.ir_config_parameter WHERE key = 'database.uuid'";

    /// <exception cref="NpgsqlException">See <see cref="SourceFailure.Of"/>.</exception>
    public static Task<NpgsqlConnection> OpenAsync(SourceOptions options, CancellationToken ct) =>
        OpenAsync(ServerTimeouts.Settings(options.ConnectionString), options.Identity, ct);

    /// <summary>For queries that cost the source nothing: a slow answer means that the source is unreachable.</summary>
    public static Task<NpgsqlConnection> OpenForHeartbeatAsync(SourceOptions options, CancellationToken ct) =>
        OpenAsync(ServerTimeouts.Settings(options.ConnectionString, ServerTimeouts.AnswerSeconds), options.Identity, ct);

    /// <summary>For rows in PostgreSQL's binary form, as the stream brings them.</summary>
    public static async Task<NpgsqlConnection> OpenForRowsAsync(SourceOptions options, CancellationToken ct)
    {
        var connection = await OpenAsync(options, ct);
        try
        {
            await connection.Statement(ServerEncoding.SetForRows(ServerEncoding.Of(connection.PostgresParameters))).ExecuteAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The same source by the host alone that is the primary now. A session that opens more than one connection opens them to that.
    /// </summary>
    /// <exception cref="NpgsqlException">See <see cref="SourceFailure.Of"/>.</exception>
    public static async Task<SourceOptions> OnPrimaryAsync(SourceOptions options, CancellationToken ct) =>
        options with
        {
            ConnectionString = await ServerHosts.FindPrimaryAsync(options.ConnectionString, ct),
        };

    /// <summary>Which database of which server a connection leads to. The timeline is not part of it.</summary>
    public static async Task<(string SystemIdentifier, long DatabaseOid)> IdentifyAsync(
        NpgsqlConnection connection,
        CancellationToken ct
    ) => (await connection.Statement(IdentitySql).RowsAsync(r => (r.GetString(0), r.GetInt64(1)), ct)).Single();

    /// <returns>Odoo's database.uuid. Null: this role may not read Odoo's parameters, or it is no Odoo.</returns>
    public static async Task<string?> OdooUuidAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.Statement(MayReadUuidSql).ScalarAsync<bool>(ct)
            ? (await connection.Statement(UuidSql).RowsAsync(row => row.IsDBNull(0) ? null : row.GetString(0), ct)).FirstOrDefault()
            : null;

    /// <summary>Behind one name there may be several servers, or another database since: its rows are not those of the stream.</summary>
    public static void RequireSame((string SystemIdentifier, long DatabaseOid) followed, (string SystemIdentifier, long DatabaseOid) now)
    {
        if (followed == now)
            return;
        throw new CdcException(
            FailureKind.Unavailable,
            $"Two connections of Source:ConnectionString lead to two databases: {followed.DatabaseOid} of system {followed.SystemIdentifier}, "
                + $"and {now.DatabaseOid} of system {now.SystemIdentifier}.",
            "Nothing was read from the other one. Let the host name lead to one server (its primary), then cdc goes on by itself."
        );
    }

    private static async Task<NpgsqlConnection> OpenAsync(
        NpgsqlConnectionStringBuilder settings,
        SourceIdentity? expected,
        CancellationToken ct
    )
    {
        settings.ApplicationName ??= "cdc";
        settings.Pooling = false;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenPinnedAsync(ct);
            if (expected is { DatabaseOid: { } oid })
                RequireSame((expected.SystemIdentifier, oid), await IdentifyAsync(connection, ct));
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
