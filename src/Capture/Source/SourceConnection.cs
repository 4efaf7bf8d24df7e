using Cdc.Core.Failures;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Capture.Source;

/// <summary>
/// Ordinary SQL connections to Odoo's database. Not from a pool: after a restart of the server it would hand out one dead connection after
/// the other, and each would cost a session.
/// </summary>
internal static class SourceConnection
{
    /// <exception cref="NpgsqlException">See <see cref="SourceFailure.Of"/>.</exception>
    public static Task<NpgsqlConnection> OpenAsync(SourceOptions options, CancellationToken ct) =>
        OpenAsync(ServerPatience.Settings(options.ConnectionString), ct);

    /// <summary>For questions that cost the source nothing: one that is not answered soon finds out that the source is away.</summary>
    public static Task<NpgsqlConnection> OpenForHeartbeatAsync(SourceOptions options, CancellationToken ct) =>
        OpenAsync(ServerPatience.Settings(options.ConnectionString, ServerPatience.AnswerSeconds), ct);

    private static async Task<NpgsqlConnection> OpenAsync(NpgsqlConnectionStringBuilder settings, CancellationToken ct)
    {
        settings.ApplicationName ??= "cdc";
        settings.Pooling = false;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(ct).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public static NpgsqlCommand Command(this NpgsqlConnection connection, string sql, params ReadOnlySpan<object> parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in parameters)
            command.Parameters.Add(Parameter(value));
        return command;
    }

    /// <summary>An unsigned number is an OID: PostgreSQL has no other, and Npgsql asks which.</summary>
    private static NpgsqlParameter Parameter(object value) =>
        value is uint ? new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Oid } : new NpgsqlParameter { Value = value };

    public static async Task<T> ScalarAsync<T>(this NpgsqlCommand command, CancellationToken ct)
    {
        await using var _ = command.ConfigureAwait(false);
        return (T)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
    }

    public static async Task ExecuteAsync(this NpgsqlCommand command, CancellationToken ct)
    {
        await using var _ = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    /// <summary>All rows, each made by <paramref name="row"/>.</summary>
    public static async Task<List<T>> RowsAsync<T>(this NpgsqlCommand command, Func<NpgsqlDataReader, T> row, CancellationToken ct)
    {
        await using var _ = command.ConfigureAwait(false);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        List<T> rows = [];
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            rows.Add(row(reader));
        return rows;
    }
}
