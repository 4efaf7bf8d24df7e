using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>
/// A pooler between us and the server, such as PgBouncer. It shows in the backend's process id, which is not the one that was given at
/// login. One that gives each client a session of its own is harmless to ordinary connections. One that gives a backend to another client
/// after each transaction is not: what is set, locked, listened to and made temporary there would belong to others.
/// </summary>
public static class Pooler
{
    /// <summary>Statements after which a backend that never changes counts as ours.</summary>
    private const int Rounds = 8;

    private const string PidSql = "SELECT pg_catalog.pg_backend_pid()";

    /// <summary>By server and login: sessions are our own. It is asked once in a process.</summary>
    private static readonly ConcurrentDictionary<string, bool> Harmless = new();

    /// <summary>Asks an open connection.</summary>
    public static async Task<bool> IsBetweenAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await PidAsync(connection, ct) != connection.ProcessID;

    /// <exception cref="SharedSessionException">Two connections were given the same backend, or one was given two.</exception>
    internal static async Task RefuseSharedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var settings = new NpgsqlConnectionStringBuilder(connection.ConnectionString)
        {
            Host = connection.Host,
            Port = connection.Port,
            Pooling = false,
        };
        var name = string.Create(CultureInfo.InvariantCulture, $"{settings.Host}:{settings.Port}/{settings.Database}/{settings.Username}");
        if (Harmless.ContainsKey(name))
            return;
        settings.Remove("Target Session Attributes");
        await using var other = connection.CloneWith(settings.ConnectionString);
        await other.OpenAsync(ct);
        var (first, second) = (await PidAsync(connection, ct), await PidAsync(other, ct));
        // Not in turn: two backends that are given out in turn would look like two sessions.
        for (var round = 0; round < Rounds && first != second; round++)
            if (
                round % 2 == 0
                    ? await PidAsync(other, ct) != second || await PidAsync(connection, ct) != first
                    : await PidAsync(connection, ct) != first || await PidAsync(other, ct) != second
            )
                throw new SharedSessionException();
        if (first == second)
            throw new SharedSessionException();
        Harmless[name] = true;
    }

    private static Task<int> PidAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement(PidSql).ScalarAsync<int>(ct);
}

/// <summary>A pooler gives the backend to other clients between two of our statements. Nothing was set on it.</summary>
public sealed class SharedSessionException()
    : NpgsqlException("A pooler shares sessions between its clients (pool_mode = transaction or statement).");
