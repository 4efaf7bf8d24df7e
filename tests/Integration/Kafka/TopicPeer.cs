using System.Text.Json.Nodes;
using Cdc.Core.Entities;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Processes;
using Confluent.Kafka;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Asks Debian's python3-kafka and python3-avro what is in the topics of a bed.</summary>
internal static class TopicPeer
{
    /// <summary>What the peer writes each value again to.</summary>
    public const string Again = ".again";

    /// <param name="api">Serves the registry.</param>
    /// <returns>By topic: the rows that it ends with, what it saw go wrong, the number of records.</returns>
    public static async Task<JsonNode> AskPeerAsync(this KafkaPipelineBed bed, ApiBed api, CancellationToken ct)
    {
        await bed.CreateTopicsAsync([.. bed.DataTopics.Select(topic => topic + Again)], ct);
        var topics = new JsonObject();
        using var consumer = bed.Consumer();
        foreach (var topic in bed.DataTopics)
            topics[topic] = new JsonArray([
                .. TopicRecords
                    .PartitionsOf(topic)
                    .Select(p => (JsonNode)consumer.QueryWatermarkOffsets(p, TopicRecords.Patience).High.Value),
            ]);
        return await PythonPeer.AskAsync(
            "tests/Integration/Kafka/peers/topic_peer.py",
            new JsonObject
            {
                ["bootstrap"] = bed.Kafka.BootstrapServers,
                ["old"] = bed.Kafka.Client.ContainsKey("broker.version.fallback"),
                ["registry"] = api.Address.ToString(),
                ["topics"] = topics,
                ["again"] = Again,
            },
            ct,
            "avro",
            "kafka"
        );
    }

    /// <summary>Odoo's rows by key, as the peer gives them: moments as microseconds since 1970.</summary>
    public static async Task<JsonNode> RowsAsync(this KafkaPipelineBed bed, EntityDeclaration entity, CancellationToken ct)
    {
        var columns = entity.SourceColumns.Select(c =>
            $"'{c.Name}', {(c.Type == SourceType.Timestamp ? $"(extract(epoch FROM \"{c.Name}\") * 1000000)::bigint" : $"\"{c.Name}\"")}"
        );
        return JsonNode.Parse(
            (
                await bed.Bed.Source.ScalarAsync<string>(
                    $"SELECT coalesce(jsonb_object_agg(\"{entity.Key.Name}\", jsonb_build_object({string.Join(", ", columns)})), '{{}}')::text FROM {entity.SourceName}",
                    ct
                )
            )!
        )!;
    }
}
