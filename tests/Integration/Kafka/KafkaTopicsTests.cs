using Cdc.Core.Failures;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>What operators do to topics under a pipeline, with Kafka's own program on a broker of the test's own.</summary>
public sealed class KafkaTopicsTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, GapKinds.LogBehind)]
    [InlineData(false, GapKinds.LogLost)]
    public async Task Topics_that_were_deleted_and_made_again_are_a_declared_gap_whichever_end_sees_it(bool capture, string kind)
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await CreateAsync(broker);
        var ends = await bed.StreamAsync(Ct);
        await ends.StopAsync();
        await MakeAgainAsync(broker, bed);
        await bed.GapAsync(capture ? bed.StartCapture() : bed.StartApply(), Ct, kind);
        await bed.AcceptGapAsync(Ct);
    }

    [Fact]
    public async Task Topics_that_are_deleted_under_a_running_pipeline_are_never_gone_on_with()
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await CreateAsync(broker);
        // Else clients hear of it when they ask for everything again, after minutes.
        bed.Kafka = bed.Kafka with
        {
            Client = new Dictionary<string, string>(bed.Kafka.Client) { ["topic.metadata.refresh.interval.ms"] = "500" },
        };
        var ends = await bed.StreamAsync(Ct);
        await bed.UpdateCardsAsync(20, Ct);
        await bed.AssertUpdatedAsync(20, Ct);
        // Both ends ask for them all the time. Old brokers make them anew for that: nobody can say when.
        await broker.Topics.DeleteAsync(bed.DataTopics, Ct);
        await Eventually.True(
            "it stops",
            async () =>
            {
                await bed.UpdateCardsAsync(1, Ct);
                return ends.Completion.IsCompleted;
            },
            timeout: TimeSpan.FromMinutes(2),
            ct: Ct
        );
        var stopped = await Assert.ThrowsAnyAsync<CdcException>(() => ends.Completion);
        if (stopped is not DeclaredGapException)
        {
            // Who asked for them before they were made anew was told that there are none.
            Assert.Equal(FailureKind.Preflight, stopped.Kind);
            await bed.CreateTopicsAsync(bed.DataTopics, Ct);
            ends = bed.StartBoth();
        }
        await bed.GapAsync(ends, Ct, GapKinds.LogBehind, GapKinds.LogLost);
        try
        {
            await bed.AcceptGapAsync(Ct);
        }
        catch (CdcException e) when (e.Kind == FailureKind.Preflight)
        {
            // Old brokers delete one topic after the other, and this one's turn had not come: what is printed is obeyed.
            Assert.Contains("does not exist", e.Message, StringComparison.Ordinal);
            await bed.CreateTopicsAsync(bed.DataTopics, Ct);
            await bed.AcceptGapAsync(Ct);
        }
    }

    [Fact]
    public async Task Capture_alone_does_not_go_on_with_topics_that_were_made_again_under_it()
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await CreateAsync(broker);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        await apply.StopAsync();
        await MakeAgainAsync(broker, bed);
        await bed.UpdateCardsAsync(1, Ct);
        await bed.GapAsync(capture, Ct, GapKinds.LogBehind);
    }

    [Fact]
    public async Task Retention_that_overtook_who_applies_is_a_declared_gap()
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await CreateAsync(broker);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        await apply.StopAsync();
        await bed.UpdateCardsAsync(1, Ct);
        await bed.ConfirmedAsync(Ct);
        await capture.StopAsync();
        foreach (var topic in bed.DataTopics)
            await broker.Topics.SetAsync(
                topic,
                new Dictionary<string, string> { ["retention.ms"] = "1", ["file.delete.delay.ms"] = "1" },
                Ct
            );
        await bed.EmptiedAsync(Ct);
        await bed.GapAsync(bed.StartApply(), Ct, GapKinds.LogLost);
        foreach (var topic in bed.DataTopics)
            await broker.Topics.UnsetAsync(topic, "retention.ms", Ct);
        await bed.AcceptGapAsync(Ct);
    }

    [Fact]
    public async Task A_partition_that_was_added_is_refused_by_both_ends_with_its_remedy()
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await CreateAsync(broker);
        bed.Kafka = bed.Kafka with
        {
            Client = new Dictionary<string, string>(bed.Kafka.Client) { ["topic.metadata.refresh.interval.ms"] = "500" },
        };
        var running = await bed.StreamAsync(Ct);
        await broker.Topics.AddPartitionsAsync(bed.DataTopics[0], TestKafka.Partitions + 1, Ct);
        await AssertRefusedAsync(running);
        await AssertRefusedAsync(bed.StartApply());
        await AssertRefusedAsync(bed.StartCapture());
    }

    [Fact]
    public async Task A_record_that_the_brokers_refuse_among_others_is_never_passed_over()
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await CreateAsync(broker);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        await capture.StopAsync();
        var topic = bed.Codec.TopicOf(bed.Bed.Entity("history"));
        await broker.Topics.SetAsync(topic, new Dictionary<string, string> { ["max.message.bytes"] = "100000" }, Ct);
        await bed.Bed.Source.ExecuteAsync(
            """
            ALTER TABLE loyalty_point_history ALTER COLUMN origin SET STORAGE EXTERNAL;
            UPDATE loyalty_point_history SET points_balance = 1, origin = repeat('x', 50000);
            UPDATE loyalty_point_history SET origin = repeat('y', 300000) WHERE id = 25;
            """,
            Ct
        );
        for (var i = 0; i < 5; i++)
            await bed.Bed.Source.ExecuteAsync(
                $"UPDATE loyalty_point_history SET points_balance = {i}, origin = repeat('z', 50000) WHERE id <> 25",
                Ct
            );
        // Records that were queued behind it may have gone out before anybody heard of the refusal: then the log has a gap, and apply may
        // declare it before the refusal is heard.
        var refused = bed.StartCapture();
        if (await Record.ExceptionAsync(() => refused.Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct)) is not DeclaredGapException)
        {
            await AssertRefusedAsync(refused, "max.message.bytes");
            await AllowAsync();
            bed.StartCapture();
            var equal = bed.Bed.EqualByItselfAsync(Ct);
            if (await Task.WhenAny(apply.Completion, equal) == equal)
            {
                await equal;
                return;
            }
        }
        await AllowAsync();
        await bed.GapAsync(apply, Ct, GapKinds.LogGap);
        await bed.AcceptGapAsync(Ct);

        Task AllowAsync() => broker.Topics.SetAsync(topic, new Dictionary<string, string> { ["max.message.bytes"] = "1000000" }, Ct);
    }

    private Task<KafkaPipelineBed> CreateAsync(KafkaBroker broker) =>
        KafkaPipelineBed.CreateAsync(servers, TestKafka.OptionsOf(broker), Ct);

    /// <summary>Deleted, and made again; by the pipeline itself where brokers make what is asked for.</summary>
    private static async Task MakeAgainAsync(KafkaBroker broker, KafkaPipelineBed bed)
    {
        await broker.Topics.DeleteAsync(bed.DataTopics, Ct);
        await GoneAsync(broker, bed);
        await bed.CreateTopicsAsync(bed.DataTopics, Ct);
    }

    private static async Task GoneAsync(KafkaBroker broker, KafkaPipelineBed bed)
    {
        IReadOnlyCollection<string> left = [];
        await Eventually.True(
            "the topics are deleted",
            async () => !(left = await broker.Topics.NamesAsync(Ct)).Intersect(bed.DataTopics).Any(),
            () => Task.FromResult(string.Join(' ', left)),
            ct: Ct
        );
    }

    private static async Task AssertRefusedAsync(RunningEnd end, string remedy = "Kafka:TopicPrefix")
    {
        var refused = await Assert.ThrowsAnyAsync<CdcException>(() => end.Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct));
        Assert.Equal(FailureKind.Preflight, refused.Kind);
        Assert.Contains(remedy, refused.Remedy, StringComparison.Ordinal);
    }
}
