using System.Text.RegularExpressions;
using Cdc.Core.Failures;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

public sealed partial class KafkaFaultsTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broker_that_is_killed_and_started_again_under_load_loses_nothing()
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, TestKafka.OptionsOf(broker), Ct);
        await bed.StreamAsync(Ct);
        await bed.UpdateCardsAsync(100, Ct);
        await broker.KillAsync(Ct);
        await bed.UpdateCardsAsync(100, Ct);
        await broker.StartAgainAsync(Ct);
        await bed.UpdateCardsAsync(100, Ct);
        await bed.Bed.CaughtUpAsync(Ct, TimeSpan.FromMinutes(2));
        await bed.AssertUpdatedAsync(300, Ct);
    }

    [Fact]
    public async Task Both_ends_drain_while_a_broker_hangs_and_go_on_when_it_answers()
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, TestKafka.OptionsOf(broker), Ct);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        await bed.UpdateCardsAsync(10, Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        broker.Send(Signal.Stop);
        try
        {
            await bed.UpdateCardsAsync(10, Ct);
            // Less than service managers wait before they kill.
            await Task.WhenAll(capture.StopAsync(), apply.StopAsync()).WaitAsync(TimeSpan.FromSeconds(15), Ct);
        }
        finally
        {
            // Else the end that has not drained would be waited for without end.
            broker.Send(Signal.Continue);
        }
        bed.StartBoth();
        await bed.AssertUpdatedAsync(20, Ct);
    }

    [Fact]
    public async Task Capture_goes_on_while_the_engine_is_down()
    {
        await using var engine = await PgCluster.StartAsync(new PgClusterOptions { Name = "kafka-engine" }, Ct);
        await using var bed = await KafkaPipelineBed.WithTopicsAsync(
            new KafkaPipelineBed(
                await PipelineBed.CreateAsync(await servers.Source.ConnectionStringAsync(), engine.ConnectionString("postgres"), Ct),
                await kafka.OptionsAsync()
            ),
            Ct
        );
        await bed.StreamAsync(Ct);
        await engine.KillAsync(Ct);
        await bed.UpdateCardsAsync(50, Ct);
        await bed.ConfirmedAsync(Ct);
        await engine.StartAgainAsync(Ct);
        // Our own connections have gone with the server.
        bed.Bed.Engine.DataSource.Clear();
        await bed.AssertUpdatedAsync(50, Ct);
    }

    [Fact]
    public async Task Capture_reads_tables_again_through_one_outage_of_the_engine_after_the_other()
    {
        await using var engine = await PgCluster.StartAsync(new PgClusterOptions { Name = "kafka-outages" }, Ct);
        await using var bed = await KafkaPipelineBed.WithTopicsAsync(
            new KafkaPipelineBed(
                await PipelineBed.CreateAsync(
                    await servers.Source.ConnectionStringAsync(),
                    // Idle connections that break are noticed within a second, not within ten.
                    engine.ConnectionString("postgres") + ";Keepalive=1",
                    Ct
                ),
                await kafka.OptionsAsync()
            ),
            Ct
        );
        var ends = await bed.StreamAsync(Ct);
        for (var outage = 0; outage < 3; outage++)
        {
            await ReadCardsAgainAsync(bed);
            await engine.KillAsync(Ct);
            await bed.UpdateCardsAsync(10, Ct);
            await bed.ConfirmedAsync(Ct);
            await engine.StartAgainAsync(Ct);
            bed.Bed.Engine.DataSource.Clear();
        }
        await ReadCardsAgainAsync(bed);
        Assert.False(ends.Completion.IsCompleted);
        await bed.AssertUpdatedAsync(30, Ct);
    }

    private static async Task ReadCardsAgainAsync(KafkaPipelineBed bed)
    {
        var request = await bed.Bed.Engine.ScalarAsync<long>(
            "INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card') RETURNING id",
            Ct
        );
        await Eventually.True(
            "the cards are read again",
            async () => await bed.Bed.Engine.ScalarAsync<string>($"SELECT state FROM cdc.requests WHERE id = {request}", Ct) == "done",
            ct: Ct
        );
    }

    [Fact]
    public async Task A_broker_that_is_down_at_the_start_is_waited_for()
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, TestKafka.OptionsOf(broker), Ct);
        await bed.Bed.FillAsync(Ct);
        await broker.KillAsync(Ct);
        bed.StartBoth();
        await Eventually.True(
            "it says that it waits",
            () => Task.FromResult(bed.Bed.Log.Lines.Any(l => l.Contains("Kafka", StringComparison.Ordinal))),
            ct: Ct
        );
        await broker.StartAgainAsync(Ct);
        await bed.Bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task Of_two_workers_that_both_believe_they_own_the_partitions_one_is_fenced()
    {
        await using var bed = await StreamingAsync();
        const string Owners = "SELECT string_agg(DISTINCT owner_token::text, ',' ORDER BY owner_token::text) FROM cdc.checkpoints";
        var before = await bed.Bed.Bed.Engine.ScalarAsync<string>(Owners, Ct);
        // Each is alone in its group, and is given every partition.
        bed.Bed.Kafka = bed.Bed.Kafka with
        {
            Group = bed.Bed.Kafka.Group + "-other",
        };
        bed.Bed.StartApply();
        await Eventually.True(
            "the other has taken the partitions",
            async () => await bed.Bed.Bed.Engine.ScalarAsync<string>(Owners, Ct) != before,
            ct: Ct
        );
        await bed.Bed.UpdateCardsAsync(100, Ct);
        await bed.Bed.AssertUpdatedAsync(100, Ct);
        await Eventually.True(
            "one is fenced",
            () => bed.Bed.Bed.Log.Lines.Any(l => l.Contains("Another process applies", StringComparison.Ordinal)),
            ct: Ct
        );
    }

    [Fact]
    public async Task Group_offsets_that_somebody_resets_change_nothing()
    {
        await using var bed = await StreamingAsync();
        await bed.Bed.UpdateCardsAsync(1, Ct);
        await bed.Bed.Bed.CaughtUpAsync(Ct);
        await bed.Ends.StopAsync();
        Commit(bed.Bed, Offset.Beginning);
        bed.Ends = bed.Bed.StartBoth();
        await bed.Bed.UpdateCardsAsync(1, Ct);
        await bed.Bed.Bed.CaughtUpAsync(Ct);
        await bed.Ends.StopAsync();
        await bed.Bed.UpdateCardsAsync(1, Ct);
        Commit(bed.Bed, Offset.End);
        bed.Ends = bed.Bed.StartBoth();
        await bed.Bed.AssertUpdatedAsync(3, Ct);
    }

    [Fact]
    public async Task A_row_larger_than_a_message_may_be_stops_capture_with_its_remedy_which_helps()
    {
        await using var bed = await StreamingAsync();
        await bed.Bed.Bed.Source.ExecuteAsync(
            "ALTER TABLE loyalty_point_history ALTER COLUMN origin SET STORAGE EXTERNAL; UPDATE loyalty_point_history SET origin = repeat('x', 1048576) WHERE id = 1",
            Ct
        );
        var refused = await Assert.ThrowsAnyAsync<CdcException>(() => bed.Ends.Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct));
        Assert.Equal(FailureKind.Preflight, refused.Kind);
        var topic = bed.Bed.Codec.TopicOf(bed.Bed.Bed.Entity("history"));
        Assert.Contains($"topic {topic} takes: that of key 1 has 1,0", refused.Message, StringComparison.Ordinal);
        // The remedy, obeyed.
        var room = LargeRowRemedy().Match(refused.Remedy);
        Assert.Equal(topic, room.Groups["topic"].Value);
        await (await kafka.TopicsAsync()).SetAsync(
            topic,
            new Dictionary<string, string> { ["max.message.bytes"] = room.Groups["ofTopic"].Value },
            Ct
        );
        bed.Bed.Kafka = bed.Bed.Kafka with
        {
            Client = new Dictionary<string, string>(bed.Bed.Kafka.Client) { ["message_max_bytes"] = room.Groups["ofClient"].Value },
        };
        bed.Bed.StartBoth();
        await bed.Bed.Bed.EqualByItselfAsync(Ct);
    }

    [GeneratedRegex(@"--entity-name (?<topic>\S+) --add-config max\.message\.bytes=(?<ofTopic>\d+), .*message_max_bytes=(?<ofClient>\d+)")]
    private static partial Regex LargeRowRemedy();

    private sealed class Streaming(KafkaPipelineBed bed, RunningEnd ends) : IAsyncDisposable
    {
        public KafkaPipelineBed Bed => bed;
        public RunningEnd Ends { get; set; } = ends;

        public ValueTask DisposeAsync() => bed.DisposeAsync();
    }

    private async Task<Streaming> StreamingAsync()
    {
        var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var ends = await bed.StreamAsync(Ct);
        return new Streaming(bed, ends);
    }

    private static void Commit(KafkaPipelineBed bed, Offset offset)
    {
        using var consumer = bed.Consumer(bed.Kafka.Group);
        foreach (var partition in bed.Partitions())
        {
            var marks = consumer.QueryWatermarkOffsets(partition, TopicRecords.Patience);
            consumer.Commit([new TopicPartitionOffset(partition, offset == Offset.End ? marks.High : marks.Low)]);
        }
    }
}
