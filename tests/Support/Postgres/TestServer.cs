using System.Collections.Concurrent;
using Cdc.Tests.Support.Containers;
using Npgsql;

namespace Cdc.Tests.Support.Postgres;

/// <summary>
/// A server that all tests of a run share: the one that an environment variable names, one in a container, or the tests' own, started at
/// first use. Tests that stop or reconfigure a server start their own <see cref="PgCluster"/>.
/// </summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly ServerOrigin _origin;
    private readonly string _variable;
    private readonly string _image;
    private readonly PgClusterOptions _options;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Task<string>> _templates = [];
    private readonly ConcurrentBag<TestDatabase> _templateDatabases = [];
    private Task<string>? _started;
    private IAsyncDisposable? _server;

    /// <param name="variable">Names the server, where it is given.</param>
    /// <param name="image">Of a container.</param>
    internal TestServer(string name, ServerOrigin origin, string variable, string image)
    {
        (_options, _origin, _variable, _image) = (new PgClusterOptions { Name = name }, origin, variable, image);
    }

    /// <summary>Connection string of a superuser, to the database <c>postgres</c>.</summary>
    /// <exception cref="MissingPrerequisiteException">There is no server and none can be started.</exception>
    public Task<string> ConnectionStringAsync()
    {
        // The start belongs to all tests, so that none of them can cancel it for the others.
        lock (_lock)
            return _started ??= StartAsync();
    }

    /// <param name="prefix">Lower-case letters, digits and underscores; the name is made unique.</param>
    /// <param name="template">A database to copy, or null.</param>
    public async Task<TestDatabase> CreateDatabaseAsync(string prefix, string? template = null, CancellationToken ct = default)
    {
        var server = await ConnectionStringAsync().WaitAsync(ct);
        return await TestDatabase.CreateAsync(prefix, server, ct, template);
    }

    /// <summary>
    /// A database that was made once in this run and is copied by those that need its content: what <paramref name="fill"/> makes is made
    /// once for each name.
    /// </summary>
    /// <returns>Its name, for <see cref="CreateDatabaseAsync"/>.</returns>
    public Task<string> TemplateAsync(string name, Func<TestDatabase, Task> fill)
    {
        lock (_lock)
            return _templates.TryGetValue(name, out var made) ? made : _templates[name] = MakeTemplateAsync(name, fill);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _templateDatabases)
            await database.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private async Task<string> MakeTemplateAsync(string name, Func<TestDatabase, Task> fill)
    {
        var database = await CreateDatabaseAsync(name);
        _templateDatabases.Add(database);
        await fill(database);
        // PostgreSQL copies no database that has connections.
        database.DataSource.Clear();
        await Eventually.True($"no connection is left to {database.Name}", async () => await IsLeftAsync(database.Name));
        return database.Name;
    }

    private async Task<bool> IsLeftAsync(string name)
    {
        await using var admin = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(await ConnectionStringAsync()) { Pooling = false }.ConnectionString
        );
        await using var command = admin.CreateCommand("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = $1)");
        command.Parameters.AddWithValue(name);
        return await command.ExecuteScalarAsync() is true;
    }

    private async Task<string> StartAsync()
    {
        switch (_origin)
        {
            case ServerOrigin.Given:
                return Environment.GetEnvironmentVariable(_variable)!;
            case ServerOrigin.Container:
                var container = await PostgresContainer.StartAsync(_image, _options, CancellationToken.None);
                _server = container;
                return container.ConnectionString;
            default:
                var cluster = await PgCluster.StartAsync(_options, CancellationToken.None);
                _server = cluster;
                return cluster.ConnectionString("postgres");
        }
    }
}
