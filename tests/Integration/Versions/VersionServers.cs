using System.Collections.Concurrent;
using Xunit;

namespace Cdc.Tests.Integration.Versions;

/// <summary>
/// A server of each version, with databases of source and engine: started at first use, so that a version that is not on the machine is a
/// skip of the tests that ask for it.
/// </summary>
public sealed class VersionServers : IAsyncLifetime
{
    private readonly ConcurrentDictionary<int, Lazy<Task<PgCluster>>> _started = new();

    public Task<PgCluster> StartAsync(int version) =>
        _started
            .GetOrAdd(
                version,
                v => new Lazy<Task<PgCluster>>(() =>
                    PgCluster.StartAsync(
                        new PgClusterOptions
                        {
                            Name = $"version-{v}",
                            Version = v,
                            SharedBuffers = "64MB",
                        },
                        CancellationToken.None
                    )
                )
            )
            .Value;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var started in _started.Values)
            if (started.Value.IsCompletedSuccessfully)
                await started.Value.Result.DisposeAsync();
    }
}
