using Cdc.Api;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Monitoring;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

public sealed class OtlpTests(TestServers servers)
{
    [Fact]
    public async Task The_metrics_arrive_at_a_collector_by_gRPC_and_the_last_ones_before_the_process_ends()
    {
        await using var sink = await OtlpSink.StartAsync(Shop.Ct);
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, pipeline) =>
                ApiBed.StartAsync(bed, Shop.Ct, new ApiOptions { OtlpEndpoint = sink.Address.ToString() }, statistics: pipeline.Statistics)
        );
        await shop.ChangeAsync("UPDATE loyalty_card SET points = 3 WHERE id = 3");
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        Assert.Equal(200, (await shop.BalanceAsync("card 1")).Status);
        await shop.GetAsync("/status");
        await shop.Api.StopAsync();
        Assert.All(
            (string[])
                [
                    "cdc.http.request.duration",
                    "cdc.build.info",
                    "cdc.applied.rows",
                    "cdc.batch.rows",
                    "cdc.batch.duration",
                    "cdc.visible.latency",
                    "cdc.errors",
                    "cdc.breaker.state",
                    "cdc.slot.retained",
                    "cdc.cache.misses",
                ],
            name => Assert.Contains(name, sink.Names)
        );
    }
}
