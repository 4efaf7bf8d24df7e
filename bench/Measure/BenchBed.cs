namespace Cdc.Bench.Measure;

/// <summary>All that the parts share: both servers, Odoo's changes, the two replicas, and where results go.</summary>
internal sealed record BenchBed(
    MeasureSizes Sizes,
    BenchServers Servers,
    OdooSource Source,
    NativeReplica Native,
    CdcReplica Cdc,
    Progress Progress,
    Figures Figures
) : IAsyncDisposable
{
    public IReadOnlyList<IReplica> Replicas { get; } = [Native, Cdc];

    public static async Task<BenchBed> StartAsync(MeasureOptions options, Progress progress, Figures figures, CancellationToken ct)
    {
        progress.Say($"starting two PostgreSQL servers{(options.Kafka ? " and a Kafka broker" : "")}");
        var servers = await BenchServers.StartAsync(options.Kafka, ct);
        try
        {
            var source = new OdooSource(servers.Odoo, options.Sizes) { HistoryKey = CdcReplica.HistoryKeySql };
            progress.Say($"filling Odoo: {options.Sizes.Cards:#,0} cards, {options.Sizes.History:#,0} history rows");
            await source.SeedAsync(ct);
            var cdc = new CdcReplica(servers, source);
            await cdc.PrepareAsync(ct);
            return new BenchBed(
                options.Sizes,
                servers,
                source,
                new NativeReplica(servers, source, options.Subscription),
                cdc,
                progress,
                figures
            );
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>The order changes from round to round, so that caches warmed by the first replica favour none.</summary>
    public IEnumerable<IReplica> InTurn(int round) => round % 2 == 0 ? Replicas : Replicas.Reverse();

    public async Task RestAsync(CancellationToken ct)
    {
        await Source.RestAsync(ct);
        foreach (var replica in Replicas)
            await replica.Target.ExecuteAsync(ct, $"VACUUM (ANALYZE) {replica.CardTable}, {replica.HistoryTable}", "CHECKPOINT");
    }

    public async ValueTask DisposeAsync()
    {
        await Cdc.DisposeAsync();
        await Servers.DisposeAsync();
    }
}
