using System.Text.Json.Nodes;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>npm's kafkajs and @kafkajs/confluent-schema-registry read what the pipeline writes, through the built-in registry. kafkajs needs a newer broker than the one we start: librdkafka's mock.</summary>
public sealed class KafkaJsTests(TestServers servers) : IDisposable
{
    private readonly MockCluster _cluster = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task JavaScript_gets_every_field_of_every_type_and_every_kind_of_change_right()
    {
        await using var bed = new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, Ct), _cluster.Options);
        // Balances are the delivered tables': the Api serves the registry of any.
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        var expected = await EveryType.RunAsync(bed, _cluster, "", Ct);

        var records = await AskAsync(bed, api);

        EveryType.AssertRead(records, expected);
    }

    private static async Task<IReadOnlyList<JsonNode>> AskAsync(KafkaPipelineBed bed, ApiBed api)
    {
        var topic = Assert.Single(bed.DataTopics);
        var records = TopicRecords.PartitionsOf(topic).Sum(p => bed.RecordsOf(p).Count());
        var answer = await NodePeer.AskAsync(
            "tests/Integration/Kafka/peers/kafkajs_peer.cjs",
            new JsonObject
            {
                ["bootstrap"] = bed.Kafka.BootstrapServers,
                ["registry"] = api.Address.ToString(),
                ["topic"] = topic,
                ["group"] = bed.Kafka.Group + "-js",
                ["records"] = records,
            },
            Ct,
            "kafkajs",
            "@kafkajs/confluent-schema-registry"
        );
        return [.. answer.AsArray().Select(r => r!).OrderBy(r => (int)r["partition"]!).ThenBy(r => (long)r["offset"]!)];
    }
}
