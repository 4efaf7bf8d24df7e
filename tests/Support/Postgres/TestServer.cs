using Npgsql;

namespace Cdc.Tests.Support.Postgres;

/// <summary>
/// A server that all tests of a run share: the one that an environment variable names, or one of our own, started at first use. Tests
/// that stop or reconfigure a server start their own <see cref="PgCluster"/>.
/// </summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly string _variable;
    private readonly PgClusterOptions _options;
    private readonly Lock _lock = new();
    private Task<string>? _started;
    private PgCluster? _cluster;
    private int _databases;

    internal TestServer(string name, string variable)
    {
        (_options, _variable) = (new PgClusterOptions { Name = name }, variable);
    }

    /// <summary>Connection string of a superuser, to the database <c>postgres</c>.</summary>
    /// <exception cref="MissingPrerequisiteException">There is no server and none can be started.</exception>
    public Task<string> ConnectionStringAsync()
    {
        // The start belongs to all tests, so that none of them can cancel it for the others.
        lock (_lock) return _started ??= StartAsync();
    }

    /// <param name="prefix">Lower-case letters, digits and underscores; the name is made unique.</param>
    /// <param name="template">A database to copy, or null.</param>
    public async Task<TestDatabase> CreateDatabaseAsync(string prefix, string? template = null, CancellationToken ct = default)
    {
        var admin = await ConnectionStringAsync().WaitAsync(ct).ConfigureAwait(false);
        var name = $"{prefix}_{Environment.ProcessId}_{Interlocked.Increment(ref _databases)}_{Random.Shared.Next(0x10000):x4}";
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(admin) { Pooling = false }.ConnectionString);
        await using var command = source.CreateCommand($"CREATE DATABASE \"{name}\" TEMPLATE \"{template ?? "template0"}\"");
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return new TestDatabase(name, admin);
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<string> StartAsync()
    {
        if (Environment.GetEnvironmentVariable(_variable) is { Length: > 0 } given) return given;
        _cluster = await PgCluster.StartAsync(_options, CancellationToken.None).ConfigureAwait(false);
        return _cluster.ConnectionString("postgres");
    }
}
