using Cdc.Core.Changes;
using Cdc.Log.Kafka;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Three brokers, replication 3 and min.insync.replicas 2: one may be away at any time.</summary>
[Trait("Needs", "CDC_KAFKA_HOME")]
public sealed class ThreeBrokersTests(TestServers servers)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_leader_that_is_killed_and_one_that_is_frozen_lose_nothing_and_stop_nobody()
    {
        await using var cluster = await KafkaCluster.StartAsync(Ct);
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, SoonGivenUp(OptionsOf(cluster)), Ct);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        var topic = bed.Codec.TopicOf(bed.Bed.Entity("card"));
        await bed.UpdateCardsAsync(50, Ct);

        var killed = await cluster.LeaderAsync(topic, 0, Ct);
        await cluster.KillAsync(killed, Ct);
        await bed.UpdateCardsAsync(50, Ct);
        await bed.Bed.CaughtUpAsync(Ct, Patience);
        await cluster.StartAgainAsync(killed, Ct);

        var frozen = await cluster.LeaderAsync(topic, 1, Ct);
        cluster.Send(frozen, Signal.Stop);
        await bed.UpdateCardsAsync(50, Ct);
        await bed.Bed.CaughtUpAsync(Ct, Patience);
        cluster.Send(frozen, Signal.Continue);
        await bed.UpdateCardsAsync(50, Ct);

        await bed.Bed.CaughtUpAsync(Ct, Patience);
        await bed.AssertUpdatedAsync(200, Ct);
        Assert.Equal((false, false), (capture.Completion.IsCompleted, apply.Completion.IsCompleted));
        AssertEachOnce(bed);
    }

    [Fact]
    [Trait("Needs", "namespaces")]
    public async Task A_leader_that_is_cut_off_without_a_word_loses_nothing_and_stops_nobody()
    {
        await using var cluster = await KafkaCluster.StartApartAsync(Ct);
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, SoonGivenUp(OptionsOf(cluster)), Ct);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        var cutOff = await cluster.LeaderAsync(bed.Codec.TopicOf(bed.Bed.Entity("card")), 0, Ct);
        await cluster.CutAsync(cutOff, Ct);
        await bed.UpdateCardsAsync(50, Ct);
        await bed.Bed.CaughtUpAsync(Ct, Patience);
        await cluster.JoinAsync(cutOff, Ct);
        await bed.UpdateCardsAsync(50, Ct);
        await bed.Bed.CaughtUpAsync(Ct, Patience);
        await bed.AssertUpdatedAsync(100, Ct);
        Assert.Equal((false, false), (capture.Completion.IsCompleted, apply.Completion.IsCompleted));
        AssertEachOnce(bed);
    }

    [Fact]
    public async Task Below_the_least_in_sync_replicas_it_waits_and_a_stop_is_obeyed_meanwhile()
    {
        await using var cluster = await KafkaCluster.StartAsync(Ct);
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, OptionsOf(cluster), Ct);
        await bed.Bed.FillAsync(Ct);
        var process = await bed.StartProcessAsync("run", null, Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        for (var id = 1; id < KafkaCluster.Nodes; id++)
            cluster.Send(id, Signal.Stop);
        await bed.UpdateCardsAsync(10, Ct);
        process.Send(Signal.Terminate);
        await Eventually.True("the stop is obeyed", () => process.HasExited, () => process.Tail, Patience, Ct);
        Assert.Equal(0, await process.WaitAsync(Ct));

        for (var id = 1; id < KafkaCluster.Nodes; id++)
            cluster.Send(id, Signal.Continue);
        await bed.StartProcessAsync("run", null, Ct);
        await bed.Bed.CaughtUpAsync(Ct, Patience);
        await bed.AssertUpdatedAsync(10, Ct);
    }

    private static KafkaOptions OptionsOf(KafkaCluster cluster) =>
        TestKafka.Unique(new KafkaOptions { BootstrapServers = cluster.BootstrapServers, Partitions = TestKafka.Partitions });

    /// <summary>A broker that has gone silent is waited for so long; a minute by default.</summary>
    private static KafkaOptions SoonGivenUp(KafkaOptions options) =>
        options with
        {
            Client = new Dictionary<string, string> { ["socket.timeout.ms"] = "5000" },
        };

    /// <summary>No position twice, and none of a key goes back.</summary>
    private static void AssertEachOnce(KafkaPipelineBed bed)
    {
        var (seen, last) = (new HashSet<ChangePosition>(), new Dictionary<long, ChangePosition>());
        var topic = bed.Codec.TopicOf(bed.Bed.Entity("card"));
        var decoder = bed.Codec.Decoder(topic);
        var changes = new List<ChangeEvent>();
        foreach (var record in bed.Records().Where(r => r.Partition.Topic == topic && r.Value is not null))
        {
            changes.Clear();
            Assert.True(decoder.TryDecode(record.Key, record.Value, changes, out _));
            var row = Assert.IsType<RowChange>(changes[0]);
            Assert.True(seen.Add(row.Position), $"{row.Position} is there twice");
            Assert.True(last.GetValueOrDefault(row.Key) < row.Position, $"key {row.Key} goes back");
            last[row.Key] = row.Position;
        }
    }
}
