using Cdc.Tests.Integration.Kafka;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Page;

/// <summary>The page over a pipeline with the Kafka log.</summary>
public sealed class KafkaPageTests(TestServers servers, TestKafka kafka, Chromium chromium) : IClassFixture<Chromium>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_partition_of_every_topic_has_a_row_with_what_waits_in_it()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var ends = await bed.StreamAsync(Ct);
        await ends.StopAsync();
        bed.StartCapture();
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1 WHERE id <= 40", Ct);
        await Eventually.True(
            "the changes are in the log",
            // Over brokers with transactions their ends take places too.
            async () => (await bed.LagAsync(Ct)).GetProperty("messagesBehind").GetInt64() >= 40,
            ct: Ct
        );
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct, statistics: bed.Statistics, kafka: bed);
        await using var viewed = await chromium.OpenAsync(api.Address);
        await viewed.LiveAsync();
        var lag = (await bed.LagAsync(Ct)).GetProperty("partitions").EnumerateArray().ToList();
        var rows = viewed.Page.Locator("#lag-rows tr");
        Assert.Equal(lag.Count, await rows.CountAsync());
        for (var i = 0; i < lag.Count; i++)
        {
            var cells = await rows.Nth(i).Locator("th, td").AllInnerTextsAsync();
            Assert.Equal(
                ((string[])["topic", "partition", "messagesBehind", "checkpoint", "logEnd"]).Select(name =>
                    lag[i].GetProperty(name).ToString()
                ),
                [cells[0], cells[1], cells[3], cells[4], cells[5]]
            );
        }
        await viewed.PictureAsync("kafka");
        viewed.AssertNoComplaints();
    }
}
