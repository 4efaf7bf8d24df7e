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
    /// <exception cref="NpgsqlException">See <see cref="SourceFailure.Of"/>.</exception>
    public static Task<NpgsqlConnection> OpenAsync(SourceOptions options, CancellationToken ct) =>
        OpenAsync(ServerTimeouts.Settings(options.ConnectionString), ct);

    /// <summary>For queries that cost the source nothing: a slow answer means that the source is unreachable.</summary>
    public static Task<NpgsqlConnection> OpenForHeartbeatAsync(SourceOptions options, CancellationToken ct) =>
        OpenAsync(ServerTimeouts.Settings(options.ConnectionString, ServerTimeouts.AnswerSeconds), ct);

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

    private static async Task<NpgsqlConnection> OpenAsync(NpgsqlConnectionStringBuilder settings, CancellationToken ct)
    {
        settings.ApplicationName ??= "cdc";
        settings.Pooling = false;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenPinnedAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
