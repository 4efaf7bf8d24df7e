using System.Globalization;
using Cdc.Engine.Requests;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>What was deleted unseen, for readers of the topics: it ends there as soon as it is deleted in the engine, and not before.</summary>
public sealed class OwedDeletesTests(TestServers servers, TestKafka kafka)
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_that_were_deleted_in_a_gap_end_in_the_topics_and_those_that_are_there_again_stay()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        await StreamAsync(bed);
        await InGapAsync(
            bed,
            """
            DELETE FROM loyalty_point_history WHERE id % 5 = 0;
            DELETE FROM loyalty_card WHERE id IN (7, 8, 9);
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (8, 1, 'in the gap', 8);
            """
        );
        // Behind the gap, while the table is read: an event of a key that has ended.
        await bed.Bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, program_id, code, points) VALUES (9, 1, 'behind the gap', 9)", Ct);
        await SettledAsync(bed);
        var views = await bed.AssertReadsOdooAsync(api, Ct);
        Assert.Equal((49, 37), (views["card"].Rows.Count, views["history"].Rows.Count));
        // 7; and 9, if it was swept before it came again.
        Assert.InRange(views["card"].OwedEnds, 1, 2);
        // Those that went with their cards too.
        Assert.Equal((13, 3), (views["history"].OwedEnds, views["move"].OwedEnds));
    }

    [Fact]
    public async Task An_owed_key_that_Odoo_has_is_not_ended_and_the_engine_keeps_what_it_has()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        await StreamAsync(bed);
        // One that the engine has, one that only Odoo has, and one that neither has.
        await bed.Bed.Engine.ExecuteAsync(
            "DELETE FROM point_history WHERE id = 6; INSERT INTO cdc.owed_deletes (entity, key) VALUES ('card', 5), ('history', 6), ('card', 5000)",
            Ct
        );
        await SettledAsync(bed);
        var views = await bed.AssertReadsOdooAsync(api, Ct);
        Assert.Equal((50, 1), (views["card"].Rows.Count, views["card"].OwedEnds));
        await bed.Bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task What_is_held_is_not_ended_before_a_person_allows_it_and_a_kill_meanwhile_loses_no_end()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.Bed.EngineOptions = bed.Bed.EngineOptions with { MaxDeletedRows = 5, MaxDeletedPercent = 5 };
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        // Without moves and history, which would be held too.
        await bed.Bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, code) SELECT i, 'alone ' || i FROM generate_series(51, 60) i", Ct);
        await StreamAsync(bed);
        await InGapAsync(bed, "DELETE FROM loyalty_card WHERE id > 50", "after-owed-ends");
        await Eventually.True(
            "the table is held",
            () => bed.Bed.Engine.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM cdc.tables WHERE entity = 'card' AND state = 'held')", Ct),
            ct: Ct
        );
        Assert.Equal(60, (await bed.ReadAsync(api, bed.Bed.Entity("card"), Ct)).Rows.Count);

        var process = _process!;
        await using (var connection = await bed.Bed.Engine.DataSource.OpenConnectionAsync(Ct))
            await SnapshotRequests.AskAsync(connection, "card", default, 10, Ct);
        Assert.Equal(128 + (int)Signal.Kill, await process.WaitAsync(Ct));
        Assert.Equal(50, (await bed.ReadAsync(api, bed.Bed.Entity("card"), Ct)).Rows.Count);
        await StartAsync(bed);
        await SettledAsync(bed);
        var views = await bed.AssertReadsOdooAsync(api, Ct);
        // Once before the kill and, since nobody wrote that down, once behind it.
        Assert.Equal((50, 20), (views["card"].Rows.Count, views["card"].OwedEnds));
    }

    [Fact]
    public async Task Keys_that_no_apply_had_taken_before_the_gap_and_that_Odoo_deleted_in_it_end_in_the_topics()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        await UntakenAsync(bed, api);
        await StartAsync(bed);
        await SettledAsync(bed);
        var views = await bed.AssertReadsOdooAsync(api, Ct);
        Assert.Equal((53, 2), (views["card"].Rows.Count, views["card"].OwedEnds));
    }

    [Fact]
    public async Task Keys_in_topics_that_the_engine_has_no_checkpoints_of_end_where_Odoo_has_deleted_them()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        await StreamAsync(bed);
        // As a backup of before the topics were made: it knows neither them nor what came since.
        await InGapAsync(
            bed,
            "DELETE FROM loyalty_card WHERE id IN (7, 8)",
            engineSql: "DELETE FROM cdc.checkpoints; DELETE FROM point_history WHERE loyalty_card_id IN (7, 8); DELETE FROM point_moves WHERE loyalty_card_id IN (7, 8); DELETE FROM loyalty_cards WHERE id IN (7, 8)"
        );
        await SettledAsync(bed);
        var views = await bed.AssertReadsOdooAsync(api, Ct);
        Assert.Equal((48, 2), (views["card"].Rows.Count, views["card"].OwedEnds));
    }

    [Fact]
    [Trait("Needs", "CDC_TEST_KAFKA")]
    public async Task Records_that_are_passed_over_may_be_removed_by_retention_before_an_apply_comes_to_them()
    {
        Assert.SkipUnless(TestKafka.IsModern, "There are no brokers but Kafka 0.9, which removes no records on command.");
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        await UntakenAsync(bed, api);
        await RemovePassedAsync(bed);
        await StartAsync(bed);
        await SettledAsync(bed);
        Assert.Equal(53, (await bed.AssertReadsOdooAsync(api, Ct))["card"].Rows.Count);
        Assert.Equal(2, await bed.Bed.Engine.ScalarAsync<int>("SELECT generation FROM cdc.source", Ct));
    }

    private WatchedProcess? _process;

    private async Task StreamAsync(KafkaPipelineBed bed)
    {
        bed.Bed.SourceOptions = bed.Bed.SourceOptions with { AcceptGaps = true };
        await bed.Bed.FillAsync(Ct);
        await StartAsync(bed);
        await bed.Bed.EqualByItselfAsync(Ct);
    }

    /// <summary>Rows are in the topics that no apply has taken, and a generation begins that passes them over. No apply runs.</summary>
    private async Task UntakenAsync(KafkaPipelineBed bed, ApiBed api)
    {
        await StreamAsync(bed);
        Assert.Equal(0, await _process!.StopAsync(Signal.Terminate, Ct));
        _process = await bed.StartProcessAsync("capture", null, Ct);
        await bed.Bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'untaken ' || i, i FROM generate_series(60, 64) i",
            Ct
        );
        await Eventually.True(
            "the topic has them",
            async () => (await bed.ReadAsync(api, bed.Bed.Entity("card"), Ct)).Rows.ContainsKey(64),
            () => Task.FromResult(_process.Tail),
            ct: Ct
        );
        await InGapAsync(bed, "DELETE FROM loyalty_card WHERE id IN (60, 62)", program: "capture");
        await Eventually.True(
            "its partitions are known",
            () => bed.Bed.Engine.ScalarAsync<bool>("SELECT coalesce(bool_or(passed_until > next_offset), false) FROM cdc.checkpoints", Ct),
            () => Task.FromResult(_process.Tail),
            ct: Ct
        );
        Assert.Equal(0, await _process.StopAsync(Signal.Terminate, Ct));
    }

    /// <summary>As retention does: all that was in the partitions when the generation began.</summary>
    private static async Task RemovePassedAsync(KafkaPipelineBed bed)
    {
        var passed = await bed.Bed.Engine.RowsAsync(
            "SELECT partition, passed_until FROM cdc.checkpoints WHERE passed_until > next_offset",
            Ct
        );
        Assert.NotEmpty(passed);
        using var admin = new AdminClientBuilder(
            new Dictionary<string, string>(bed.Kafka.Client) { ["bootstrap.servers"] = bed.Kafka.BootstrapServers }
        ).Build();
        await admin.DeleteRecordsAsync(
            passed
                .Select(row => row.Split('/', '|'))
                .Select(p => new TopicPartitionOffset(p[0], int.Parse(p[1], Invariant), long.Parse(p[2], Invariant)))
        );
    }

    private async Task StartAsync(KafkaPipelineBed bed, string? crashAt = null, string program = "run") =>
        _process = await bed.StartProcessAsync(program, crashAt, Ct);

    /// <summary>The slot is lost, and meanwhile Odoo has changed.</summary>
    private async Task InGapAsync(KafkaPipelineBed bed, string sql, string? crashAt = null, string program = "run", string engineSql = "")
    {
        Assert.Equal(0, await _process!.StopAsync(Signal.Terminate, Ct));
        await bed.Bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{bed.Bed.SourceOptions.SlotName}')", Ct);
        await bed.Bed.Source.ExecuteAsync(sql, Ct);
        if (engineSql.Length > 0)
            await bed.Bed.Engine.ExecuteAsync(engineSql, Ct);
        await StartAsync(bed, crashAt, program);
        await Eventually.True(
            "a generation begins",
            () => bed.Bed.Engine.ScalarAsync<bool>("SELECT generation = 2 AND state = 'streaming' FROM cdc.source", Ct),
            () => Task.FromResult(_process.Tail),
            ct: Ct
        );
    }

    private static async Task SettledAsync(KafkaPipelineBed bed)
    {
        await bed.Bed.EqualByItselfAsync(Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.NothingIsOwedAsync(Ct);
    }
}
