using Cdc.Tests.Support.Pipeline;
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

    /// <summary>A pipeline between them that is not started: one program in Odoo, and cards with the keys 1 to <paramref name="cards"/>.</summary>
    public async Task<PipelineBed> BedAsync(int cards, CancellationToken ct)
    {
        var bed = await PipelineBed.CreateAsync(Source.ConnectionString("postgres"), Engine.ConnectionString("postgres"), ct);
        await bed.Source.ExecuteAsync(
            $"""
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'card ' || i, i FROM generate_series(1, {cards}) i;
            """,
            ct
        );
        return bed;
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Engine.DisposeAsync();
    }
}
