using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>A pair of servers that the tests of one class may stop, kill and reconfigure.</summary>
public sealed class OwnServers : IAsyncLifetime
{
    public PgCluster Source { get; private set; } = null!;
    public PgCluster Engine { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Source = await PgCluster.StartAsync(new PgClusterOptions { Name = "own-source", SharedBuffers = "64MB" }, CancellationToken.None);
        Engine = await PgCluster.StartAsync(new PgClusterOptions { Name = "own-engine", SharedBuffers = "64MB" }, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Engine.DisposeAsync();
    }
}
