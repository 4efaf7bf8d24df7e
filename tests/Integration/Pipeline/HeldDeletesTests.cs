using Cdc.Core.Failures;
using Cdc.Core.Snapshots;
using Cdc.Engine;
using Cdc.Engine.Requests;
using Cdc.Engine.Tables;
using Cdc.Reconcile.Requests;
using Cdc.Testing.Waiting;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>
/// Rows that are not there when a table is read again are deleted by themselves only where they are few. Here: more than ten, and more than a
/// tenth.
/// </summary>
public sealed class HeldDeletesTests(TestServers servers, TestKafka kafka)
{
    private const int Cards = 100;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_gap_more_missing_rows_than_allowed_over_all_chunks_wait_for_a_person(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        await InGapAsync(either, "DELETE FROM loyalty_point_history WHERE id % 7 = 0; DELETE FROM loyalty_card WHERE id % 7 = 0");
        // No chunk of twenty rows misses more than three.
        var reason = await HeldAsync(bed, "card");
        Assert.Contains("14 of 100 rows of card are not there", reason, StringComparison.Ordinal);
        Assert.Contains("cdc snapshot card --allow-deletes", reason, StringComparison.Ordinal);
        Assert.Equal(Cards, await CountAsync(bed, "loyalty_cards"));
        var status = await bed.StatusAsync("card", Ct);
        Assert.Equal((14, 100), (status.GetProperty("heldDeletes").GetInt64(), status.GetProperty("heldOf").GetInt64()));

        // What Odoo does meanwhile is applied.
        await bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = 1000 WHERE id = 1; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (7, 1, 'again', 7)",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["1|1000.00", "7|7.00"],
            await bed.Engine.RowsAsync("SELECT id, points FROM loyalty_cards WHERE id IN (1, 7) ORDER BY id", Ct)
        );

        // Asked again without more, it is the same; with it the rows go, but for the one that is there again.
        Assert.Contains("13 of 100", (await AskAsync(bed, "card", null)).Answer, StringComparison.Ordinal);
        Assert.Equal(RequestState.Refused, (await AskAsync(bed, "card", 12)).State);
        Assert.Equal(Cards, await CountAsync(bed, "loyalty_cards"));
        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", 13)).State);
        Assert.Equal(Cards - 13, await CountAsync(bed, "loyalty_cards"));
        foreach (var other in (string[])["history", "move"])
        {
            await HeldAsync(bed, other);
            Assert.Equal(RequestState.Done, (await AskAsync(bed, other, long.MaxValue)).State);
        }
        await bed.EqualByItselfAsync(Ct);
        Assert.Equal(0, await CountAsync(bed, "cdc.held_deletes"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rows_that_are_seen_again_are_never_deleted(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        await InGapAsync(either, "ALTER TABLE loyalty_card RENAME TO all_cards; CREATE TABLE loyalty_card (LIKE all_cards INCLUDING ALL)");
        Assert.Contains("100 of 100", await HeldAsync(bed, "card"), StringComparison.Ordinal);
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_card SELECT * FROM all_cards WHERE id <> 50", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", null)).State);
        await bed.EqualByItselfAsync(Ct);
        Assert.Equal(Cards - 1, await CountAsync(bed, "loyalty_cards"));
    }

    [Fact]
    public async Task What_is_allowed_for_some_keys_is_not_allowed_for_others()
    {
        await using var either = await StartAsync(false);
        var bed = either.Bed;
        await OnlyInTheEngineAsync(bed, 1001, 1030);
        Assert.Equal(RequestState.Refused, (await AskAsync(bed, "card", null)).State);
        Assert.Equal(RequestState.Refused, (await AskAsync(bed, "card", long.MaxValue, new KeyRange(1001, 1011))).State);
        Assert.Equal(130, await CountAsync(bed, "loyalty_cards"));
        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", long.MaxValue, new KeyRange(1001, 1025))).State);
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task What_the_stream_deletes_meanwhile_is_deleted()
    {
        await using var either = await StartAsync(false);
        var bed = either.Bed;
        await InGapAsync(either, "DELETE FROM loyalty_point_history WHERE id % 7 = 0");
        await HeldAsync(bed, "history");
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_point_history WHERE id % 7 = 1", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(Cards - 15, await CountAsync(bed, "point_history"));
        await bed.Source.ExecuteAsync("TRUNCATE loyalty_point_history", Ct);
        await Eventually.True(
            "nothing waits any more",
            async () => await StateAsync(bed, "history") == "streaming",
            () => StateAsync(bed, "history"),
            ct: Ct
        );
        await bed.EqualByItselfAsync(Ct);
    }

    [Theory]
    // Ten, though they are more than a tenth; and a tenth, though they are more than ten.
    [InlineData(60, 6)]
    [InlineData(110, 10)]
    public async Task Few_rows_or_a_small_share_are_deleted_without_a_person(int rows, int every)
    {
        await using var either = await StartAsync(false, rows);
        await InGapAsync(either, $"DELETE FROM loyalty_point_history WHERE id % {every} = 0");
        await either.Bed.EqualByItselfAsync(Ct);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_for_keys_counts_as_one(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        await OnlyInTheEngineAsync(bed, 1001, 1030);
        var reads = new KeyReads(bed.Engine.ConnectionString, bed.Log);
        var request = await reads.AskAsync(bed.Entity("card"), [1, 2, .. Enumerable.Range(1001, 30).Select(i => (long)i)], Ct);
        var refused = await Assert.ThrowsAsync<CdcException>(() => reads.WaitAsync(request, Ct));
        Assert.Equal(FailureKind.Refused, refused.Kind);
        Assert.Contains("30 of 130 rows of card", refused.Message, StringComparison.Ordinal);
        Assert.Equal(130, await CountAsync(bed, "loyalty_cards"));
        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", 30)).State);
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task Keys_that_are_read_again_by_themselves_count_too_and_are_not_read_without_end()
    {
        await using var either = await StartAsync(false);
        var bed = either.Bed;
        await OnlyInTheEngineAsync(bed, 1001, 1015);
        await bed.Engine.ExecuteAsync(
            """
            INSERT INTO cdc.rereads (entity, key, generation, lsn, ordinal) SELECT 'card', i, 1, '0/1', 0 FROM generate_series(1001, 1008) i;
            INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, commit_at, retry_requested)
            SELECT 'card', i, 1, '0/1', 0, 'r', 'd', now(), true FROM generate_series(1009, 1015) i
            """,
            Ct
        );
        Assert.Contains("15 of 115 rows of card", await HeldAsync(bed, "card"), StringComparison.Ordinal);
        Assert.Equal(115, await CountAsync(bed, "loyalty_cards"));
        Assert.Equal((8, 7), (await CountAsync(bed, "cdc.rereads"), await CountAsync(bed, "cdc.quarantine")));
        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", 15)).State);
        await bed.EqualByItselfAsync(Ct);
        Assert.Equal((0, 0), (await CountAsync(bed, "cdc.rereads"), await CountAsync(bed, "cdc.quarantine")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Many_small_readings_of_a_day_count_together_until_a_person_has_looked(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        await OnlyInTheEngineAsync(bed, 1001, 1008);
        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", null, new KeyRange(1001, 1009))).State);
        await OnlyInTheEngineAsync(bed, 1011, 1018);
        var refused = await AskAsync(bed, "card", null, new KeyRange(1011, 1019));
        Assert.Equal(RequestState.Refused, refused.State);
        Assert.Contains("8 of 108 rows of card", refused.Answer, StringComparison.Ordinal);
        Assert.Contains("8 more were deleted within a day", refused.Answer, StringComparison.Ordinal);
        Assert.Equal(Cards + 8, await CountAsync(bed, "loyalty_cards"));

        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", 8, new KeyRange(1011, 1019))).State);
        await OnlyInTheEngineAsync(bed, 1021, 1028);
        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", null, new KeyRange(1021, 1029))).State);
        // Those of yesterday are over.
        await bed.Engine.ExecuteAsync("UPDATE cdc.chunks SET finished_at = finished_at - interval '1 day'", Ct);
        await OnlyInTheEngineAsync(bed, 1031, 1038);
        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", null, new KeyRange(1031, 1039))).State);
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task Keys_that_are_read_again_by_themselves_count_for_the_next_reading_too()
    {
        await using var either = await StartAsync(false);
        var bed = either.Bed;
        await OnlyInTheEngineAsync(bed, 1001, 1008);
        await RereadAsync(bed, 1001, 1008);
        await Eventually.True("they are gone", async () => await CountAsync(bed, "loyalty_cards") == Cards, ct: Ct);
        await OnlyInTheEngineAsync(bed, 1011, 1018);
        await RereadAsync(bed, 1011, 1018);
        Assert.Contains("8 of 108 rows of card", await HeldAsync(bed, "card"), StringComparison.Ordinal);
        Assert.Equal(RequestState.Done, (await AskAsync(bed, "card", 8)).State);
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task A_table_that_was_rewritten_unseen_is_held_and_another_rewrite_begins_anew()
    {
        await using var either = await StartAsync(false);
        var bed = either.Bed;
        await OnlyInTheEngineAsync(bed, 1001, 1015);
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card ALTER points TYPE double precision USING points + 1", Ct);
        await HeldAsync(bed, "card");
        await bed.Engine.ExecuteAsync("DELETE FROM loyalty_cards WHERE id > 1005", Ct);
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card ALTER points TYPE double precision USING points + 2", Ct);
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task A_process_that_is_killed_before_or_after_it_has_counted_counts_the_same()
    {
        await using var either = await StartAsync(false);
        var bed = either.Bed;
        await bed.StopInProcessAsync();
        await OnlyInTheEngineAsync(bed, 1001, 1015);
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        foreach (var place in (string[])["after-sweep", "after-sweep:3", "after-chunk-finished:2"])
            await (await bed.StartProcessAsync(place, Ct)).WaitAsync(Ct);
        bed.StartInProcess();
        Assert.Contains("15 of 115 rows of card", await HeldAsync(bed, "card"), StringComparison.Ordinal);
        Assert.Equal(115, await CountAsync(bed, "loyalty_cards"));
    }

    /// <summary>Everything streams; chunks are small.</summary>
    private async Task<EitherLogBed> StartAsync(bool overKafka, int cards = Cards)
    {
        var either = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct);
        var bed = either.Bed;
        bed.EngineOptions = bed.EngineOptions with { MaxDeletedRows = 10, MaxDeletedPercent = 10 };
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 20 };
        bed.SourceOptions = bed.SourceOptions with { AcceptGaps = true };
        await bed.FillAsync(Ct, cards);
        either.Start();
        await bed.CaughtUpAsync(Ct);
        return either;
    }

    /// <summary>The slot is lost, and meanwhile Odoo has changed; the pipeline goes on by itself, and reads everything again.</summary>
    private static async Task InGapAsync(EitherLogBed either, string sql)
    {
        var bed = either.Bed;
        await either.StopAsync();
        await bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{bed.SourceOptions.SlotName}')", Ct);
        await bed.Source.ExecuteAsync(sql, Ct);
        either.Start();
        await Eventually.True(
            "everything was read again",
            () =>
                bed.Engine.ScalarAsync<bool>(
                    "SELECT generation = 2 AND state = 'streaming' AND NOT EXISTS (SELECT FROM cdc.tables WHERE state = 'loading') FROM cdc.source",
                    Ct
                ),
            async () => string.Join("; ", await bed.Engine.RowsAsync("SELECT entity, state, reason FROM cdc.tables", Ct)),
            ct: Ct
        );
    }

    /// <summary>Rows that the source has not, as older than everything.</summary>
    private static Task OnlyInTheEngineAsync(PipelineBed bed, int from, int to) =>
        bed.Engine.ExecuteAsync(
            $"INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) SELECT i, i, 1, 'x' || i, 0 FROM generate_series({from}, {to}) i",
            Ct
        );

    /// <summary>As if a column of them were not known.</summary>
    private static Task RereadAsync(PipelineBed bed, int from, int to) =>
        bed.Engine.ExecuteAsync(
            $"INSERT INTO cdc.rereads (entity, key, generation, lsn, ordinal) SELECT 'card', i, 1, '0/1', 0 FROM generate_series({from}, {to}) i",
            Ct
        );

    /// <returns>The reason.</returns>
    private static async Task<string> HeldAsync(PipelineBed bed, string entity)
    {
        await Eventually.True(
            $"{entity} is held",
            async () => await StateAsync(bed, entity) == "held",
            () => StateAsync(bed, entity),
            ct: Ct
        );
        return await bed.Engine.ScalarAsync<string>($"SELECT reason FROM cdc.tables WHERE entity = '{entity}'", Ct) ?? "";
    }

    private static async Task<string> StateAsync(PipelineBed bed, string entity) =>
        await bed.Engine.ScalarAsync<string>($"SELECT state FROM cdc.tables WHERE entity = '{entity}'", Ct) ?? "";

    private static async Task<RequestAnswer> AskAsync(PipelineBed bed, string entity, long? allowDeletes, KeyRange range = default)
    {
        await using var connection = await bed.Engine.DataSource.OpenConnectionAsync(Ct);
        var request = await SnapshotRequests.AskAsync(connection, entity, range, allowDeletes, Ct);
        RequestAnswer? answer = null;
        await Eventually.True(
            $"request {request} is answered",
            async () =>
                (answer = await SnapshotRequests.AnswerAsync(connection, request, Ct))
                    is { State: RequestState.Done or RequestState.Refused },
            () => Task.FromResult(answer?.ToString() ?? ""),
            ct: Ct
        );
        return answer!;
    }

    private static async Task<int> CountAsync(PipelineBed bed, string table) =>
        (int)await bed.Engine.ScalarAsync<long>($"SELECT count(*) FROM {table}", Ct);
}
