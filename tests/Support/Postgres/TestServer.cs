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
        var server = await ConnectionStringAsync().WaitAsync(ct).ConfigureAwait(false);
        return await TestDatabase.CreateAsync(prefix, server, ct, template).ConfigureAwait(false);
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
