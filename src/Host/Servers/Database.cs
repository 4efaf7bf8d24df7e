using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Host.Servers;

/// <summary>One of the two servers, and what its failures mean to the user of a command.</summary>
internal sealed class Database : IAsyncDisposable
{
    public const int MostConnections = 4;

    private readonly NpgsqlDataSource _connections;
    private readonly Server _server;

    private Database(Server server, string name, string connectionString)
    {
        var settings = ServerTimeouts.Settings(connectionString);
        (settings.ApplicationName, settings.MaxPoolSize) = ("cdc", MostConnections);
        (Name, _server, _connections) = ($"{name} {ServerHosts.NameOf(settings)}", server, SessionSettings.Pool(settings));
    }

    /// <summary>Such as <c>source db.example:5432/odoo</c>. Without user or password.</summary>
    public string Name { get; }

    public static Database Source(string connectionString) => new(Server.Source, "source", connectionString);

    public static Database Engine(string connectionString) => new(Server.Engine, "engine", connectionString);

    /// <summary>For work that takes many connections; their failures are not translated.</summary>
    public NpgsqlDataSource Connections => _connections;

    /// <exception cref="CdcException">As <see cref="ServerFailure"/> says: Unavailable, Configuration (login refused, no such database),
    /// Preflight (a privilege is missing), Migration (the schema cdc is not there).</exception>
    public async Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken ct)
    {
        try
        {
            await using var connection = await _connections.OpenConnectionAsync(ct);
            return await use(connection);
        }
        catch (Exception failure) when (ServerFailure.Of(_server, failure, Name) is { } known)
        {
            throw known.ToException(failure);
        }
    }

    public Task UseAsync(Func<NpgsqlConnection, Task> use, CancellationToken ct) =>
        UseAsync(
            async connection =>
            {
                await use(connection);
                return true;
            },
            ct
        );

    public ValueTask DisposeAsync() => _connections.DisposeAsync();
}
