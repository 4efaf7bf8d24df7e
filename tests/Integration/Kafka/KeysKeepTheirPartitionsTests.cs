using Cdc.Log.Registry;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

public sealed class KeysKeepTheirPartitionsTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_that_is_widened_has_another_schema_and_the_same_partition()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.UseAvro(new RegistryOptions());
        var ends = await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync("ALTER TABLE loyalty_card ALTER COLUMN id TYPE bigint", Ct);
        await bed.UpdateCardsAsync(2, Ct);
        // Another session goes on as this one does.
        await ends.StopAsync();
        bed.StartBoth();
        await bed.UpdateCardsAsync(1, Ct);
        await bed.AssertUpdatedAsync(3, Ct);

        var topic = bed.Codec.TopicOf(bed.Bed.Entity("card"));
        var keys = bed.Records().Where(r => r.Partition.Topic == topic).Select(r => (Key: r.Key!, r.Partition.Partition)).ToList();
        Assert.Equal(2, keys.Select(k => Convert.ToHexString(k.Key, 0, 5)).Distinct().Count());
        // Behind the schema's id both write the same number.
        var partitions = keys.GroupBy(k => Convert.ToHexString(k.Key[5..])).ToList();
        Assert.Equal(50, partitions.Count);
        Assert.All(partitions, p => Assert.Single(p.Select(k => k.Partition).Distinct()));
    }
}
