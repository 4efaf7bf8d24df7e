using Cdc.Log.Kafka;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;

namespace Cdc.Tests.Integration.Kafka;

internal static class MockBeds
{
    /// <summary>A pipeline over a mock cluster that has its topics.</summary>
    /// <param name="idempotent">False: as over brokers that neither number a producer's requests nor fence.</param>
    /// <param name="more">Settings of librdkafka.</param>
    public static async Task<KafkaPipelineBed> CreateBedAsync(
        this MockCluster cluster,
        TestServers servers,
        CancellationToken ct,
        bool idempotent = true,
        Dictionary<string, string>? more = null
    )
    {
        var options = cluster.Options;
        var client = new Dictionary<string, string>(options.Client)
        {
            ["enable.idempotence"] = idempotent ? "true" : "false",
            ["socket.timeout.ms"] = "1000",
        };
        foreach (var (name, value) in more ?? [])
            client[name] = value;
        options = options with { Client = client };
        var bed = new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, ct), options);
        cluster.CreateTopics(options, bed.DataTopics);
        return bed;
    }

    public static void CreateTopics(this MockCluster cluster, KafkaOptions options, IEnumerable<string> dataTopics)
    {
        cluster.CreateTopic(LogTopics.ControlTopic(options), 1);
        foreach (var topic in dataTopics)
            cluster.CreateTopic(topic, TestKafka.Partitions);
    }
}
