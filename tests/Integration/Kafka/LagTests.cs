using System.Globalization;
using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>How far the engine is behind the log: the command, the Api, the metrics, and what they say when something is away.</summary>
public sealed class LagTests(TestServers servers, TestKafka kafka)
{
    private const string Nowhere = "Host=127.0.0.1;Port=1;Database=none;Username=nobody;Timeout=2";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_partition_tells_what_waits_in_it_and_command_Api_and_metrics_say_the_same()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await WaitingAsync(bed, 40);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct, statistics: bed.Statistics, kafka: bed);

        var command = await bed.LagAsync(Ct);
        var (cards, others) = (
            Of(command, bed.Codec.TopicOf(bed.Bed.Entity("card"))),
            Of(command, bed.Codec.TopicOf(bed.Bed.Entity("history")))
        );
        Assert.Equal(Enumerable.Range(0, cards.Count), cards.Select(p => p.GetProperty("partition").GetInt32()));
        Assert.True(cards.Count > 1);
        var behind = cards.Sum(p => p.GetProperty("messagesBehind").GetInt64());
        Assert.InRange(behind, 40, 40 + MoreThanRecords(40));
        Assert.All(
            cards,
            p =>
                Assert.Equal(
                    p.GetProperty("messagesBehind").GetInt64(),
                    p.GetProperty("logEnd").GetInt64() - p.GetProperty("checkpoint").GetInt64()
                )
        );
        Assert.All(others, p => Assert.InRange(p.GetProperty("messagesBehind").GetInt64(), 0, MoreThanRecords(40)));
        Assert.True(command.GetProperty("slotBytes").GetInt64() > 0);
        var all = command.GetProperty("messagesBehind").GetInt64();
        Assert.Equal(behind + others.Sum(p => p.GetProperty("messagesBehind").GetInt64()), all - Elsewhere(command, cards, others));
        Assert.Contains($"{all} messages behind", (await bed.RunAsync(Ct, "lag")).Out, StringComparison.Ordinal);

        var lag = await api.GetAsync("/lag", Ct);
        Assert.Equal(Numbers(command, "checkpoint", "logEnd", "messagesBehind"), Numbers(lag.Json, "applied", "end", "messages"));
        var waiting = cards
            .Where(p => p.GetProperty("messagesBehind").GetInt64() > 0)
            .Select(p => p.GetProperty("partition").GetInt32())
            .ToHashSet();
        Assert.All(
            Of(lag.Json, cards[0].GetProperty("topic").GetString()!).Where(p => waiting.Contains(p.GetProperty("partition").GetInt32())),
            p => Assert.True(p.GetProperty("seconds").GetDouble() > 0)
        );
        Assert.Equal($"{all}", (await api.GetAsync("/status", Ct)).Json.GetProperty("log").GetProperty("messagesBehind").ToString());
        // What others write to the same server is in it, too.
        Assert.True((await api.GetAsync("/sync/stats", Ct)).Json.GetProperty("pending").GetInt64() >= 40);
        var metrics = (await api.GetAsync("/metrics", Ct)).Text;
        Assert.All(
            cards,
            p =>
                Assert.Contains(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"cdc_lag_messages{{topic=\"{p.GetProperty("topic")}\",partition=\"{p.GetProperty("partition")}\"}} {p.GetProperty("messagesBehind")}\n"
                    ),
                    metrics,
                    StringComparison.Ordinal
                )
        );
        Assert.Contains("cdc_up{server=\"kafka\"} 1", metrics, StringComparison.Ordinal);

        bed.StartApply();
        await Eventually.True(
            "nothing waits any more",
            async () => (await bed.LagAsync(Ct)).GetProperty("messagesBehind").GetInt64() == 0,
            ct: Ct
        );
        Assert.Contains("0 messages behind", (await bed.RunAsync(Ct, "status")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_source_is_away_what_waits_is_still_told_and_of_the_rest_nothing_is_claimed()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await WaitingAsync(bed, 40);
        bed.Bed.SourceOptions = bed.Bed.SourceOptions with { ConnectionString = Nowhere };
        var lag = await bed.LagAsync(Ct);
        Assert.InRange(lag.GetProperty("messagesBehind").GetInt64(), 40, 40 + MoreThanRecords(40));
        Assert.Equal(JsonValueKind.Null, lag.GetProperty("slotBytes").ValueKind);
        Assert.True(lag.GetProperty("secondsBehind").GetDouble() > 0);
        Assert.All(
            Of(lag, bed.Codec.TopicOf(bed.Bed.Entity("history"))),
            p =>
            {
                if (p.GetProperty("messagesBehind").GetInt64() == 0)
                    Assert.Equal(JsonValueKind.Null, p.GetProperty("secondsBehind").ValueKind);
                else
                    Assert.True(TestKafka.IsModern);
            }
        );
    }

    [Fact]
    public async Task What_is_wrong_is_said_with_its_remedy()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var given = bed.Kafka;
        bed.Kafka = given with { TopicPrefix = given.TopicPrefix + "x" };
        var topic = bed.DataTopics[0].Replace(given.TopicPrefix, bed.Kafka.TopicPrefix, StringComparison.Ordinal);
        await RefusesAsync(bed, FailureKind.Preflight, $"Topic {topic} does not exist", "cdc topics create");
        bed.Kafka = given;
        var (capture, apply) = await StreamingAsync(bed);
        await capture.StopAsync();
        await apply.StopAsync();
        await bed.Bed.Engine.ExecuteAsync(
            "INSERT INTO cdc.checkpoints (partition, generation, owner_token, next_offset) SELECT split_part(partition, '/', 1) || '/99', 1, gen_random_uuid(), 0 FROM cdc.checkpoints LIMIT 1",
            Ct
        );
        await RefusesAsync(bed, FailureKind.Preflight, "has another number now", "Kafka:TopicPrefix");
        var engine = bed.Bed.EngineOptions;
        bed.Bed.EngineOptions = engine with { ConnectionString = Nowhere };
        await RefusesAsync(bed, FailureKind.Unavailable, "engine", "Engine:ConnectionString");
        bed.Bed.EngineOptions = engine;
        bed.Kafka = bed.Kafka with { BootstrapServers = "127.0.0.1:1" };
        await RefusesAsync(bed, FailureKind.Unavailable, "Kafka is not available", "CDC__Kafka__BootstrapServers");
        var status = JsonDocument.Parse((await bed.RunAsync(Ct, "status", "--json")).Out).RootElement;
        Assert.Equal(
            (false, JsonValueKind.Null),
            (status.GetProperty("logServer").GetProperty("readable").GetBoolean(), status.GetProperty("log").ValueKind)
        );
    }

    /// <summary>So many changes of cards are in the log, and nobody applies them.</summary>
    private static async Task WaitingAsync(KafkaPipelineBed bed, int changes)
    {
        var (_, apply) = await StreamingAsync(bed);
        await apply.StopAsync();
        await bed.Bed.Source.ExecuteAsync($"UPDATE loyalty_card SET points = points + 1 WHERE id <= {changes}", Ct);
        // All of them are committed there: what comes behind adds to no data topic.
        await bed.ConfirmedAsync(Ct);
    }

    private static async Task<(RunningEnd Capture, RunningEnd Apply)> StreamingAsync(KafkaPipelineBed bed)
    {
        await bed.Bed.FillAsync(Ct);
        var ends = (bed.StartCapture(), bed.StartApply());
        await bed.Bed.EqualByItselfAsync(Ct);
        // Without a commit since the load nobody could say how old the engine is.
        await bed.Bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = points + 1; UPDATE loyalty_point_history SET points_balance = 7",
            Ct
        );
        await bed.Bed.CaughtUpAsync(Ct);
        return ends;
    }

    /// <summary>
    /// Over brokers that fence, the end of a transaction counts in each of its partitions; how many transactions there are depends on how
    /// long the broker took for each.
    /// </summary>
    private static int MoreThanRecords(int records) => TestKafka.IsModern ? records : 0;

    private static async Task RefusesAsync(KafkaPipelineBed bed, FailureKind kind, string message, string remedy)
    {
        var run = await bed.RunAsync(Ct, "lag");
        Assert.Equal(((int)kind, ""), (run.ExitCode, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Contains(remedy, run.Error, StringComparison.Ordinal);
    }

    private static List<JsonElement> Of(JsonElement lag, string topic) =>
        [.. lag.GetProperty("partitions").EnumerateArray().Where(p => p.GetProperty("topic").GetString() == topic)];

    /// <summary>In other topics: ends of transactions.</summary>
    private static long Elsewhere(JsonElement lag, params List<JsonElement>[] topics)
    {
        var named = topics.SelectMany(t => t).Select(p => p.GetProperty("topic").GetString()).ToHashSet();
        return lag.GetProperty("partitions")
            .EnumerateArray()
            .Where(p => !named.Contains(p.GetProperty("topic").GetString()))
            .Sum(p => p.GetProperty("messagesBehind").GetInt64());
    }

    private static IEnumerable<string> Numbers(JsonElement lag, params string[] names) =>
        lag.GetProperty("partitions")
            .EnumerateArray()
            .Select(p => string.Join(' ', ((string[])["topic", "partition", .. names]).Select(n => p.GetProperty(n).ToString())));
}
