using System.Text.Json;
using System.Text.Json.Nodes;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>What others' tools say of our topics and our group.</summary>
public sealed class LagToolsTests(TestServers servers, TestKafka kafka)
{
    private const int Changes = 40;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Others_find_the_same_lag_in_the_groups_offsets()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        // Partitions to which nothing came since they were assigned count too.
        await SayTheSameAsync(bed, 0);
        await using var connection = await bed.Bed.Engine.DataSource.OpenConnectionAsync(Ct);
        await using (await HoldAsync(connection))
        {
            await bed.Bed.Source.ExecuteAsync($"UPDATE loyalty_card SET points = points + 1 WHERE id <= {Changes}", Ct);
            await SayTheSameAsync(bed, Changes);
        }
        await bed.Bed.CaughtUpAsync(Ct);
        await SayTheSameAsync(bed, 0);
    }

    [Fact]
    public async Task Kcat_lists_the_topics_and_reads_every_record()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = points + 1; DELETE FROM loyalty_point_history WHERE id <= 5",
            Ct
        );
        await bed.Bed.CaughtUpAsync(Ct);
        var listed = JsonNode.Parse(await Kcat.RunAsync(bed.Kafka, Ct, "-L", "-J"))!["topics"]!
            .AsArray()
            .ToDictionary(t => (string)t!["topic"]!, t => t!["partitions"]!.AsArray().Count);
        var ends = (await bed.LagAsync(Ct))
            .GetProperty("partitions")
            .EnumerateArray()
            .ToLookup(p => p.GetProperty("topic").GetString()!, p => p.GetProperty("logEnd").GetInt64());
        foreach (var topic in bed.DataTopics)
        {
            Assert.Equal(ends[topic].Count(), listed[topic]);
            var records = (await Kcat.RunAsync(bed.Kafka, Ct, "-C", "-t", topic, "-o", "beginning", "-e", "-f", "%p %o %S\n"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' '))
                .ToList();
            Assert.Equal(TopicRecords.PartitionsOf(topic).Sum(p => bed.RecordsOf(p).Count()), records.Count);
            // Over brokers that fence, the ends of transactions take offsets between them.
            if (!TestKafka.IsModern)
                Assert.All(
                    records.GroupBy(r => r[0]),
                    partition => Assert.Equal(Enumerable.Range(0, partition.Count()).Select(o => $"{o}"), partition.Select(r => r[1]))
                );
            Assert.True(TestKafka.IsModern || ends[topic].Sum() == records.Count);
            // A record without a value has no length: the tombstone behind each delete.
            Assert.Equal(topic == bed.Codec.TopicOf(bed.Bed.Entities.Find("history")!) ? 5 : 0, records.Count(r => r[2] == "-1"));
        }
    }

    /// <summary>Whoever applies waits until it is disposed.</summary>
    private static async Task<NpgsqlTransaction> HoldAsync(NpgsqlConnection connection)
    {
        var held = await connection.BeginTransactionAsync(Ct);
        await using var command = new NpgsqlCommand("LOCK TABLE cdc.floors IN ACCESS EXCLUSIVE MODE", connection, held);
        await command.ExecuteNonQueryAsync(Ct);
        return held;
    }

    private static async Task SayTheSameAsync(KafkaPipelineBed bed, long behind)
    {
        string ours = "",
            theirs = "";
        await Eventually.True(
            "the group's offsets are the engine's checkpoints",
            async () =>
            {
                var lag = await bed.LagAsync(Ct);
                ours = string.Join(
                    '\n',
                    lag.GetProperty("partitions")
                        .EnumerateArray()
                        .Select(p => $"{Text(p, "topic")} {Text(p, "partition")} {Text(p, "checkpoint")} {Text(p, "logEnd")}")
                );
                theirs = await GroupAsync(bed);
                // Over brokers that fence, the end of a transaction counts in each of its partitions.
                var (most, messages) = (
                    behind > 0 && TestKafka.IsModern ? behind + TestKafka.Partitions : behind,
                    lag.GetProperty("messagesBehind").GetInt64()
                );
                return messages >= behind && messages <= most && ours == theirs;
            },
            () => Task.FromResult($"cdc lag:\n{ours}\nKafka for Python:\n{theirs}"),
            ct: Ct
        );
    }

    private static async Task<string> GroupAsync(KafkaPipelineBed bed)
    {
        var answer = await PythonPeer.AskAsync(
            "tests/Integration/Kafka/peers/group_peer.py",
            new JsonObject
            {
                ["bootstrap"] = bed.Kafka.BootstrapServers,
                ["old"] = !TestKafka.IsModern,
                ["group"] = bed.Kafka.Group,
                ["topics"] = new JsonArray([.. bed.DataTopics.Select(t => (JsonNode)t)]),
            },
            Ct,
            "kafka"
        );
        return string.Join(
            '\n',
            bed.DataTopics.SelectMany(topic =>
                answer[topic]!.AsArray().Select((p, number) => $"{topic} {number} {p!["committed"]} {p["end"]}")
            )
        );
    }

    private static string Text(JsonElement partition, string name) => partition.GetProperty(name).ToString();
}
