using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Faults that a broker must be told to have, over the modern protocol with idempotence and transactions.</summary>
public sealed class KafkaMockTests(TestServers servers) : IDisposable
{
    private readonly MockCluster _cluster = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Partitions_that_all_lose_their_leader_are_waited_for()
    {
        await using var bed = await CreateAsync();
        var ends = await bed.StreamAsync(Ct);
        foreach (var partition in bed.Partitions())
            _cluster.LoseLeader(partition.Topic, partition.Partition);
        using (var anybody = bed.Consumer())
        using (var admin = new DependentAdminClientBuilder(anybody.Handle).Build())
            Assert.All(
                bed.DataTopics,
                topic =>
                    Assert.All(admin.GetMetadata(topic, TopicRecords.Patience).Topics.Single().Partitions, p => Assert.Equal(-1, p.Leader))
            );
        await bed.UpdateCardsAsync(20, Ct);
        foreach (var partition in bed.Partitions())
            _cluster.FindLeader(partition.Topic, partition.Partition);
        await bed.AssertUpdatedAsync(20, Ct);
        Assert.False(ends.Completion.IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_append_whose_answer_is_lost_is_applied_once(bool idempotent)
    {
        await using var bed = await CreateAsync(idempotent);
        await bed.StreamAsync(Ct);
        _cluster.AnswerAppendLate(TimeSpan.FromSeconds(5));
        await bed.UpdateCardsAsync(3, Ct);
        await bed.AssertUpdatedAsync(3, Ct);
    }

    [Theory]
    [InlineData(ErrorCode.InvalidRecord)]
    // Told that the record is there, but not where.
    [InlineData(ErrorCode.DuplicateSequenceNumber)]
    public async Task An_append_that_is_not_made_ends_the_session_and_the_log_stays_without_gaps(ErrorCode answer)
    {
        // The mock, unlike a broker, takes what follows an append that it refused: nothing may follow before the session has ended.
        await using var bed = await CreateAsync(more: new() { ["linger.ms"] = "100" });
        var ends = await bed.StreamAsync(Ct);
        foreach (var partition in bed.Partitions())
            _cluster.AnswerAppendWith(partition.Topic, partition.Partition, (int)answer);
        await bed.UpdateCardsAsync(1, Ct);
        await bed.SaysAsync("Log session 2 begins", Ct);
        await bed.UpdateCardsAsync(19, Ct);
        await bed.AssertUpdatedAsync(20, Ct);
        Assert.NotEqual(1, await bed.Bed.Engine.ScalarAsync<long>("SELECT max(newest_session) FROM cdc.checkpoints", Ct));
        Assert.False(ends.Completion.IsCompleted);
    }

    private Task<KafkaPipelineBed> CreateAsync(bool idempotent = true, Dictionary<string, string>? more = null) =>
        _cluster.CreateBedAsync(servers, Ct, idempotent, more);
}
