using Cdc.Core.Failures;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Waiting;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Faults that a broker must be told to have, over the modern protocol with idempotence.</summary>
public sealed class KafkaMockTest(TestServers servers) : IDisposable
{
    private const int InvalidRecord = 87;

    private readonly MockCluster _cluster = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Partitions_that_lose_their_leader_are_waited_for()
    {
        await using var bed = await CreateAsync();
        var ends = bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(Ct);
        OnEveryPartition(bed, _cluster.LoseLeader);
        await UpdateAsync(bed, 20);
        OnEveryPartition(bed, _cluster.FindLeader);
        await AssertAppliedAsync(bed, 20);
        Assert.False(ends.Completion.IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_append_whose_answer_is_lost_is_applied_once(bool idempotent)
    {
        await using var bed = await CreateAsync(idempotent);
        bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(Ct);
        _cluster.AnswerAppendLate(TimeSpan.FromSeconds(5));
        await UpdateAsync(bed, 3);
        await AssertAppliedAsync(bed, 3);
    }

    [Fact]
    public async Task A_record_that_is_refused_in_the_middle_ends_the_session_and_the_log_stays_without_gaps()
    {
        await using var bed = await CreateAsync();
        bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(Ct);
        _cluster.RefuseAppends(InvalidRecord);
        await UpdateAsync(bed, 20);
        await AssertAppliedAsync(bed, 20);
        Assert.NotEqual(1, await bed.Bed.Engine.ScalarAsync<long>("SELECT max(newest_session) FROM cdc.checkpoints", Ct));
    }

    [Fact]
    public async Task Records_that_are_gone_before_they_were_applied_are_a_declared_gap()
    {
        await using var bed = await CreateAsync();
        var (_, apply) = (bed.StartCapture(), bed.StartApply());
        await bed.Bed.EqualByItselfAsync(Ct);
        await apply.StopAsync();
        await UpdateAsync(bed, 1);
        await Eventually.True("the log has the update", async () => await SlotHasAsync(bed), ct: Ct);
        foreach (var partition in await CheckpointsAsync(bed)) _cluster.DeleteRecords(partition.Topic, partition.Number, partition.Next + 1);
        await AssertGapAsync(bed, bed.StartApply(), GapKinds.LogLost);
    }

    [Fact]
    public async Task A_topic_that_was_deleted_and_made_again_is_a_declared_gap()
    {
        await using var bed = await CreateAsync();
        var ends = bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(Ct);
        await ends.StopAsync();
        foreach (var topic in bed.DataTopics)
        {
            _cluster.DeleteTopic(topic);
            _cluster.CreateTopic(topic, TestKafka.Partitions);
        }
        await AssertGapAsync(bed, bed.StartCapture(), GapKinds.LogBehind);
    }

    private async Task<KafkaPipelineBed> CreateAsync(bool idempotent = true)
    {
        var options = _cluster.Options;
        var bed = new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, Ct), options with
        {
            Client = new Dictionary<string, string> { ["enable.idempotence"] = idempotent ? "true" : "false", ["socket.timeout.ms"] = "1000" },
        });
        _cluster.CreateTopic(Cdc.Log.Kafka.LogTopics.ControlTopic(options), 1);
        foreach (var topic in bed.DataTopics) _cluster.CreateTopic(topic, TestKafka.Partitions);
        await bed.Bed.FillAsync(Ct);
        return bed;
    }

    private static void OnEveryPartition(KafkaPipelineBed bed, Action<string, int> act)
    {
        foreach (var topic in bed.DataTopics)
            for (var partition = 0; partition < TestKafka.Partitions; partition++) act(topic, partition);
    }

    private static async Task UpdateAsync(KafkaPipelineBed bed, int times)
    {
        for (var i = 0; i < times; i++) await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
    }

    private static async Task AssertAppliedAsync(KafkaPipelineBed bed, int updates)
    {
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        Assert.Equal($"{updates}", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
    }

    private static async Task AssertGapAsync(KafkaPipelineBed bed, RunningEnd end, string kind)
    {
        var gap = await Assert.ThrowsAsync<DeclaredGapException>(() => end.Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct));
        Assert.Equal(kind, gap.GapKind);
        Assert.Equal($"gap|{kind}", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT state, gap_kind FROM cdc.source", Ct)));
    }

    /// <summary>The slot is confirmed up to what the brokers have.</summary>
    private static async Task<bool> SlotHasAsync(KafkaPipelineBed bed)
    {
        var written = await bed.Bed.Source.ScalarAsync<string>("SELECT pg_current_wal_lsn()::text", Ct);
        return await bed.Bed.Source.ScalarAsync<bool>($"SELECT confirmed_flush_lsn >= '{written}' FROM pg_replication_slots WHERE slot_name = '{bed.Bed.SourceOptions.SlotName}'", Ct);
    }

    private static async Task<IEnumerable<(string Topic, int Number, long Next)>> CheckpointsAsync(KafkaPipelineBed bed) =>
        (await bed.Bed.Engine.RowsAsync("SELECT split_part(partition, '/', 1), split_part(partition, '/', 2), next_offset FROM cdc.checkpoints WHERE partition LIKE '%loyalty_card/%'", Ct))
        .Select(row => row.Split('|')).Select(parts => (parts[0], int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture), long.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture)));
}
