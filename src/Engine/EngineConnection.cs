using System.Collections.Concurrent;
using System.Data;
using Cdc.Core.Postgres;
using Cdc.Engine.Ownership;
using Cdc.Engine.Rows;
using Npgsql;

namespace Cdc.Engine;

/// <summary>Opens connections to the engine with the settings that applying needs.</summary>
public static class EngineConnection
{
    /// <summary>By connection string, for the life of the process, as Npgsql keeps its own. They pool nothing.</summary>
    private static readonly ConcurrentDictionary<string, NpgsqlDataSource> Sources = new(StringComparer.Ordinal);

    public static Task<NpgsqlConnection> OpenAsync(EngineOptions options, EngineRole role, CancellationToken ct) =>
        OpenAsync(options, role, role.ApplicationName(), ct);

    /// <param name="owner">Shown in the application name.</param>
    public static Task<NpgsqlConnection> OpenAsync(EngineOptions options, EngineRole role, Guid owner, CancellationToken ct) =>
        OpenAsync(options, role, role.ApplicationName(owner), ct);

    /// <summary>
    /// The same engine by the host alone that is the primary now: rows, checkpoint and what is confirmed of them are on one server.
    /// </summary>
    /// <exception cref="NpgsqlException">No host answers, or none of them is the primary.</exception>
    public static async Task<EngineOptions> OnPrimaryAsync(EngineOptions options, CancellationToken ct) =>
        options with
        {
            ConnectionString = await ServerHosts.FindPrimaryAsync(options.ConnectionString, ct),
        };

    /// <summary>
    /// Runs <paramref name="work"/> on a connection that has no other user. Npgsql says "Connection is not open", as of a mistake of the
    /// program, where an idle connection broke just before its next use.
    /// </summary>
    /// <exception cref="NpgsqlException">The connection is lost.</exception>
    internal static async Task<T> UseAsync<T>(NpgsqlConnection connection, Func<NpgsqlConnection, Task<T>> work)
    {
        try
        {
            return await work(connection);
        }
        catch (InvalidOperationException e) when (!IsOpen(connection))
        {
            throw new NpgsqlException("The connection to the engine was lost.", e);
        }
    }

    /// <summary>False: it was closed, or Npgsql saw that it is broken.</summary>
    internal static bool IsOpen(NpgsqlConnection connection) => connection.FullState == ConnectionState.Open;

    private static async Task<NpgsqlConnection> OpenAsync(
        EngineOptions options,
        EngineRole role,
        string applicationName,
        CancellationToken ct
    )
    {
        var settings = ServerTimeouts.Settings(options.ConnectionString);
        settings.ApplicationName = applicationName;
        settings.Pooling = false;
        settings.WriteBufferSize = 65536;
        settings.ReadBufferSize = 65536;
        // Of several statements that travel together: which one was refused.
        settings.IncludeFailedBatchedCommand = true;
        // Loading and applying take as long as they take. An engine that does not answer is noticed by the pulse, which only asks, as does what
        // tells others how this process stands.
        settings.CommandTimeout = role is EngineRole.Pulse or EngineRole.Process
            ? ServerTimeouts.Settings(options.ConnectionString, ServerTimeouts.AnswerSeconds).CommandTimeout
            : 0;
        var connection = Sources.GetOrAdd(settings.ConnectionString, Source).CreateConnection();
        try
        {
            await connection.OpenPinnedAsync(ct);
            await PrepareSessionAsync(connection, options, ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static NpgsqlDataSource Source(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        BinaryArrayTypes.AddTo(builder);
        return builder.BuildFor();
    }

    private static async Task PrepareSessionAsync(NpgsqlConnection connection, EngineOptions options, CancellationToken ct)
    {
        // Staged rows have no statistics: the plan that is always right is an index lookup for every key.
        var settings =
            $"SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; SET timezone = 'UTC'; SET synchronous_commit = {(options.SynchronousCommit ? "on" : "off")}";
        await connection.Statement(settings).ExecuteAsync(ct);
        try
        {
            // As PostgreSQL's own apply worker does: the source has enforced the foreign keys already, and their triggers cost more than
            // the row.
            await connection.Statement("SET session_replication_role = replica").ExecuteAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            // Then the migrations have created no foreign keys either, and 'cdc check' says what a GRANT would win. What watches the engine's
            // own changes knows this session by its role, and by this.
            await connection.Statement($"SET {OwnChangeSql.ApplyingSetting} = 'on'").ExecuteAsync(ct);
        }
    }
}
