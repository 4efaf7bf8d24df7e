using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine;

/// <summary>Opens connections to the engine with the settings that applying needs.</summary>
public static class EngineConnection
{
    private const string InsufficientPrivilege = "42501";

    public static async Task<NpgsqlConnection> OpenAsync(EngineOptions options, string role, CancellationToken ct)
    {
        var settings = ServerPatience.Settings(options.ConnectionString);
        settings.ApplicationName = $"cdc {role}";
        settings.Pooling = false;
        settings.WriteBufferSize = 65536;
        settings.ReadBufferSize = 65536;
        // Loading and applying take as long as they take: the pulse notices an engine that is away.
        settings.CommandTimeout = 0;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(ct).ConfigureAwait(false);
            await PrepareSessionAsync(connection, options, ct).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task PrepareSessionAsync(NpgsqlConnection connection, EngineOptions options, CancellationToken ct)
    {
        // Staged rows have no statistics: the plan that is always right is to look every key up in the index.
        var settings =
            $"SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; SET timezone = 'UTC'; SET synchronous_commit = {(options.SynchronousCommit ? "on" : "off")}";
        await ExecuteAsync(connection, settings, ct).ConfigureAwait(false);
        try
        {
            // As PostgreSQL's own apply worker does: the source has enforced the foreign keys already, and their triggers cost more than the row.
            await ExecuteAsync(connection, "SET session_replication_role = replica", ct).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState == InsufficientPrivilege)
        {
            // Then the migrations have created no foreign keys either, and 'cdc check' says what a GRANT would win.
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
