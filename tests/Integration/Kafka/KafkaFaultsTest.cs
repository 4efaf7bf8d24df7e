using Cdc.Core.Failures;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Waiting;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

public sealed class KafkaFaultsTest(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broker_that_is_killed_and_started_again_under_load_loses_nothing()
    {
        await using var broker = await KafkaBroker.StartAsync(TestKafka.Partitions, Ct);
        await using var bed = new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, Ct), TestKafka.OptionsOf(broker));
        await bed.StreamAsync(Ct);
        await UpdateAsync(bed, 100);
        await broker.KillAsync(Ct);
        await UpdateAsync(bed, 100);
        await broker.StartAgainAsync(Ct);
        await UpdateAsync(bed, 100);
        await bed.Bed.CaughtUpAsync(Ct, TimeSpan.FromMinutes(2));
        await bed.Bed.AssertEqualAsync(Ct);
        Assert.Equal("300", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
    }

    [Fact]
    public async Task Capture_goes_on_while_the_engine_is_down()
    {
        await using var engine = await PgCluster.StartAsync(new PgClusterOptions { Name = "kafka-engine" }, Ct);
        await using var bed = new KafkaPipelineBed(
            await PipelineBed.CreateAsync(await servers.Source.ConnectionStringAsync(), engine.ConnectionString("postgres"), Ct), await kafka.OptionsAsync());
        await bed.StreamAsync(Ct);
        await engine.KillAsync(Ct);
        await UpdateAsync(bed, 50);
        var written = await bed.Bed.Source.ScalarAsync<string>("SELECT pg_current_wal_lsn()::text", Ct);
        await Eventually.True("the slot is confirmed up to what the brokers have", async () => await bed.Bed.Source.ScalarAsync<bool>(
            $"SELECT confirmed_flush_lsn >= '{written}' FROM pg_replication_slots WHERE slot_name = '{bed.Bed.SourceOptions.SlotName}'", Ct), ct: Ct);
        await engine.StartAgainAsync(Ct);
        // Our own connections have gone with the server.
        bed.Bed.Engine.DataSource.Clear();
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        Assert.Equal("50", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
    }

    [Fact]
    public async Task A_broker_that_is_down_at_the_start_is_waited_for()
    {
        await using var broker = await KafkaBroker.StartAsync(TestKafka.Partitions, Ct);
        await using var bed = new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, Ct), TestKafka.OptionsOf(broker));
        await bed.Bed.FillAsync(Ct);
        await broker.KillAsync(Ct);
        bed.StartBoth();
        await Eventually.True("it says that it waits", () => Task.FromResult(bed.Bed.Log.Lines.Any(l => l.Contains("Kafka", StringComparison.Ordinal))), ct: Ct);
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
        bed.Bed.Kafka = bed.Bed.Kafka with { Group = bed.Bed.Kafka.Group + "-other" };
        bed.Bed.StartApply();
        await Eventually.True("the other has taken the partitions", async () => await bed.Bed.Bed.Engine.ScalarAsync<string>(Owners, Ct) != before, ct: Ct);
        await UpdateAsync(bed.Bed, 100);
        await bed.Bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.Bed.AssertEqualAsync(Ct);
        Assert.Equal("100", Assert.Single(await bed.Bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
        await Eventually.True("one is fenced", () => bed.Bed.Bed.Log.Lines.Any(l => l.Contains("Another process applies", StringComparison.Ordinal)), ct: Ct);
    }

    [Fact]
    public async Task Group_offsets_that_somebody_resets_change_nothing()
    {
        await using var bed = await StreamingAsync();
        await UpdateAsync(bed.Bed, 1);
        await bed.Bed.Bed.CaughtUpAsync(Ct);
        await bed.Ends.StopAsync();
        Commit(bed.Bed, Offset.Beginning);
        bed.Ends = bed.Bed.StartBoth();
        await UpdateAsync(bed.Bed, 1);
        await bed.Bed.Bed.CaughtUpAsync(Ct);
        await bed.Ends.StopAsync();
        await UpdateAsync(bed.Bed, 1);
        Commit(bed.Bed, Offset.End);
        bed.Ends = bed.Bed.StartBoth();
        await bed.Bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.Bed.AssertEqualAsync(Ct);
        Assert.Equal("3", Assert.Single(await bed.Bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
    }

    [Fact]
    public async Task A_row_larger_than_the_brokers_take_stops_capture_with_its_remedy()
    {
        await using var bed = await StreamingAsync(options => options with { Client = new Dictionary<string, string>(options.Client) { ["message.max.bytes"] = "2000000" } });
        await bed.Bed.Bed.Source.ExecuteAsync(
            "ALTER TABLE loyalty_point_history ALTER COLUMN origin SET STORAGE EXTERNAL; UPDATE loyalty_point_history SET origin = repeat('x', 3000000) WHERE id = 1", Ct);
        var refused = await Assert.ThrowsAnyAsync<CdcException>(() => bed.Ends.Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct));
        Assert.Contains("max.message.bytes", refused.Remedy, StringComparison.Ordinal);
    }

    private sealed class Streaming(KafkaPipelineBed bed, RunningEnd ends) : IAsyncDisposable
    {
        public KafkaPipelineBed Bed => bed;
        public RunningEnd Ends { get; set; } = ends;

        public ValueTask DisposeAsync() => bed.DisposeAsync();
    }

    private async Task<Streaming> StreamingAsync(Func<Cdc.Log.Kafka.KafkaOptions, Cdc.Log.Kafka.KafkaOptions>? change = null)
    {
        var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        if (change is not null) bed.Kafka = change(bed.Kafka);
        var ends = await bed.StreamAsync(Ct);
        return new Streaming(bed, ends);
    }

    private static async Task UpdateAsync(KafkaPipelineBed bed, int times)
    {
        for (var i = 0; i < times; i++) await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
    }

    private static void Commit(KafkaPipelineBed bed, Offset offset)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(Settings(bed)).Build();
        foreach (var topic in bed.DataTopics)
            for (var partition = 0; partition < TestKafka.Partitions; partition++)
            {
                var marks = consumer.QueryWatermarkOffsets(new TopicPartition(topic, partition), TimeSpan.FromSeconds(10));
                consumer.Commit([new TopicPartitionOffset(topic, partition, offset == Offset.End ? marks.High : marks.Low)]);
            }
    }

    private static Dictionary<string, string> Settings(KafkaPipelineBed bed) =>
        new(bed.Kafka.Client) { ["bootstrap.servers"] = bed.Kafka.BootstrapServers, ["group.id"] = bed.Kafka.Group };
}
