using Cdc.Core.Changes;
using Cdc.Log.Kafka;
using Cdc.Log.Registry;
using Cdc.Tests.Integration.Crash;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>The pipeline over a broker that fences, whose transactions end with records that nobody reads and that take an offset.</summary>
public sealed class KafkaTransactionsTests(TestServers servers) : IDisposable
{
    private readonly MockCluster _cluster = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task At_rest_nothing_is_behind_and_a_new_session_reaches_the_ends_that_it_finds()
    {
        await using var bed = await _cluster.CreateBedAsync(servers, Ct);
        var ends = await bed.StreamAsync(Ct);
        await bed.UpdateCardsAsync(3, Ct);
        await bed.AssertUpdatedAsync(3, Ct);
        await NothingIsBehindAsync(bed);
        await ends.StopAsync();
        bed.StartBoth();
        // Its partitions end behind records that are none; nothing is appended to them before all that is committed counts as applied.
        await bed.Bed.CaughtUpAsync(Ct);
        await NothingIsBehindAsync(bed);
        await bed.UpdateCardsAsync(1, Ct);
        await bed.AssertUpdatedAsync(4, Ct);
    }

    [Fact]
    public async Task Fences_and_chunks_pass_partitions_that_end_behind_a_transaction()
    {
        await using var bed = await _cluster.CreateBedAsync(servers, Ct);
        var ends = await bed.StreamAsync(Ct);
        await bed.UpdateCardsAsync(1, Ct);
        await bed.Bed.AssertEqualAtFenceAsync("card", Ct);
        await ends.StopAsync();
        bed.StartBoth();
        await bed.Bed.AssertEqualAtFenceAsync("card", Ct);
        await bed.Bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'history')", Ct);
        await Eventually.True(
            "the table is read again",
            async () =>
                await bed.Bed.Engine.ScalarAsync<bool>(
                    "SELECT count(*) >= 2 AND bool_and(state = 'done') FROM cdc.chunks WHERE entity = 'history'",
                    Ct
                ),
            ct: Ct
        );
        await bed.Bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task A_dead_letter_that_the_brokers_refuse_takes_no_record_of_the_log_with_it_and_is_sent_again()
    {
        await using var bed = await _cluster.CreateBedAsync(servers, Ct);
        await bed.StreamAsync(Ct);
        var session = await SessionAsync(bed);
        var topic = LogTopics.DeadLetterTopic(bed.Kafka.TopicPrefix, bed.Codec.TopicOf(bed.Bed.Entity("card")));
        _cluster.CreateTopic(topic, 1);
        _cluster.AnswerAppendWith(topic, 0, (int)ErrorCode.MsgSizeTooLarge);
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = -1 WHERE id = 7", Ct);
        await Eventually.True(
            "the letter is there",
            async () =>
                await bed.Bed.Engine.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM cdc.quarantine WHERE published_attempts = attempts)",
                    Ct
                ),
            ct: Ct
        );
        Assert.Single(bed.RecordsOf(new TopicPartition(topic, 0)));
        Assert.Contains(bed.Bed.Log.Lines, l => l.Contains("not in their dlq topics yet", StringComparison.Ordinal));
        Assert.Equal(session, await SessionAsync(bed));
    }

    [Fact]
    public async Task A_capture_that_wakes_up_with_appends_on_their_way_leaves_the_topics_as_its_successor_made_them()
    {
        await using var bed = await _cluster.CreateBedAsync(servers, Ct);
        bed.UseAvro(new RegistryOptions());
        await bed.Bed.Source.ExecuteAsync(
            UpdateCount.Setup
                + "INSERT INTO loyalty_card (program_id, code, points) SELECT 1, 'card ' || i, i FROM generate_series(1, 20) i",
            Ct
        );
        var first = await bed.StartProcessAsync("capture", null, Ct);
        await bed.StartProcessAsync("apply", null, Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        var held = _cluster.HoldAppend();
        await bed.UpdateCardsAsync(1, Ct);
        await held.Reached.WaitAsync(Ct);
        first.Send(Signal.Stop);
        await bed.Bed.Source.ExecuteAsync(
            $"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{bed.Bed.SourceOptions.SlotName}' AND active",
            Ct
        );
        await bed.StartProcessAsync("capture", null, Ct);
        await bed.UpdateCardsAsync(20, Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        var before = await PositionsAsync(bed);
        first.Send(Signal.Continue);
        held.Release();
        // What it had on its way it tries to append once more while its session ends.
        await Eventually.True(
            "the first one stands by",
            () => first.Tail.Contains("Standby", StringComparison.Ordinal),
            () => first.Tail,
            ct: Ct
        );
        Assert.Equal(before, await PositionsAsync(bed));
        foreach (var partition in before)
            Assert.Equal(partition.Order(), partition);
        await bed.UpdateCardsAsync(1, Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        await UpdateCount.AssertAppliedOnceAsync(bed.Bed, Ct);
    }

    /// <summary>Where every record with a payload stands in the order of changes, by partition.</summary>
    private static async Task<List<List<ChangePosition>>> PositionsAsync(KafkaPipelineBed bed)
    {
        var all = new List<List<ChangePosition>>();
        foreach (var partition in bed.Partitions())
        {
            var decoder = bed.Codec.Decoder(partition.Topic);
            var changes = new List<ChangeEvent>();
            foreach (var record in bed.RecordsOf(partition).Where(r => r.Value is not null).ToList())
            {
                if (decoder.TryDecode(record.Key, record.Value, changes, out _))
                    continue;
                await decoder.LearnAsync(record.Key, record.Value, Ct);
                Assert.True(decoder.TryDecode(record.Key, record.Value, changes, out _));
            }
            all.Add([.. changes.OfType<RowChange>().Select(c => c.Position)]);
        }
        return all;
    }

    private static Task<long> SessionAsync(KafkaPipelineBed bed) => bed.Bed.Engine.ScalarAsync<long>("SELECT session FROM cdc.source", Ct);

    private static Task NothingIsBehindAsync(KafkaPipelineBed bed) =>
        Eventually.True("nothing is behind", async () => (await bed.LagAsync(Ct)).GetProperty("messagesBehind").GetInt64() == 0, ct: Ct);
}
