using Cdc.Core.Failures;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

public sealed class KafkaPipelineTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_are_loaded_and_followed_over_the_log_each_update_once()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = points + 1; UPDATE loyalty_card SET points = points + 1 WHERE id <= 10; DELETE FROM loyalty_point_history WHERE id > 40",
            Ct
        );
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        Assert.Equal(
            ["1|40", "2|10"],
            await bed.Bed.Engine.RowsAsync("SELECT sync_version, count(*) FROM loyalty_cards GROUP BY 1 ORDER BY 1", Ct)
        );
    }

    [Fact]
    public async Task Either_end_may_be_stopped_and_started_and_nothing_is_applied_twice()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        for (var round = 0; round < 3; round++)
        {
            await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
            await (round % 2 == 0 ? capture : apply).StopAsync();
            await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
            if (round % 2 == 0)
                capture = bed.StartCapture();
            else
                apply = bed.StartApply();
        }
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        Assert.Equal("6", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
    }

    [Fact]
    public async Task A_truncate_reaches_partitions_at_different_offsets()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.Bed.FillAsync(Ct);
        var apply = bed.StartApply();
        bed.StartCapture();
        await bed.Bed.EqualByItselfAsync(Ct);
        await apply.StopAsync();
        await bed.Bed.Source.ExecuteAsync(
            """
            UPDATE loyalty_card SET points = 5;
            TRUNCATE loyalty_point_history, loyalty_point_move, loyalty_card;
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'n' || i, i FROM generate_series(25, 60) i;
            """,
            Ct
        );
        bed.StartApply();
        bed.StartApply();
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task Workers_share_the_partitions_and_a_new_one_takes_some_over()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        var second = bed.StartApply();
        await Eventually.True(
            "two workers own partitions",
            async () => await bed.Bed.Engine.ScalarAsync<long>("SELECT count(DISTINCT owner_token) FROM cdc.checkpoints", Ct) == 2,
            ct: Ct
        );
        await bed.Bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = points + 1; UPDATE loyalty_point_history SET points_balance = 7",
            Ct
        );
        await bed.Bed.CaughtUpAsync(Ct);
        await second.StopAsync();
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        Assert.Equal("2", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
    }

    [Fact]
    public async Task Source_and_engine_are_compared_at_fences()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.Bed.FillAsync(Ct);
        bed.StartBoth();
        bed.StartApply();
        await bed.Bed.EqualByItselfAsync(Ct);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var writing = WriteAsync(bed.Bed, enough.Token);
        for (var i = 0; i < 5; i++)
            await bed.Bed.AssertEqualAtFenceAsync("card", Ct);
        await enough.CancelAsync();
        await writing;
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task Rows_with_long_text_that_meet_no_whole_row_are_read_again()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync(
            "UPDATE loyalty_point_history SET origin = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i) WHERE id = 7",
            Ct
        );
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.Engine.ExecuteAsync("DELETE FROM point_history WHERE odoo_history_id = 7", Ct);
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_point_history SET points_balance = 8 WHERE id = 7", Ct);
        await bed.Bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task A_partition_count_that_changed_is_refused_with_its_remedy()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.Bed.FillAsync(Ct);
        var capture = bed.StartCapture();
        bed.StartApply();
        await bed.Bed.EqualByItselfAsync(Ct);
        await capture.StopAsync();
        await bed.Bed.Engine.ExecuteAsync(
            "INSERT INTO cdc.checkpoints (partition, generation, owner_token, next_offset) SELECT split_part(partition, '/', 1) || '/99', 1, gen_random_uuid(), 0 FROM cdc.checkpoints LIMIT 1",
            Ct
        );
        var refused = await Assert.ThrowsAsync<CdcException>(() => bed.StartCapture().Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct));
        Assert.Equal(FailureKind.Preflight, refused.Kind);
        Assert.Contains("Kafka:TopicPrefix", refused.Remedy, StringComparison.Ordinal);
    }

    private static async Task WriteAsync(PipelineBed bed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
            await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1 WHERE id % 7 = 1", CancellationToken.None);
    }
}
