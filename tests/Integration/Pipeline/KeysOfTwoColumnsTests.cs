using Cdc.Core.Entities;
using Cdc.Reconcile;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Integration.Pipeline.Histories;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>A table whose key is two columns, as Odoo's many-to-many ones, is followed as every other, over either log.</summary>
public sealed class KeysOfTwoColumnsTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Eight for each of nine programs, and the ends of what a key can be.</summary>
    private const string Fill = """
        INSERT INTO loyalty_program_pos_config_rel (loyalty_program_id, pos_config_id, version, note)
        SELECT p, c, p * 100 + c, 'note ' || c FROM generate_series(1, 9) p, generate_series(1, 8) c
        UNION ALL SELECT p, c, 0, NULL FROM unnest(ARRAY[0, 2147483646, 2147483647]) p, unnest(ARRAY[0, 1, 2147483647]) c
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rows_are_loaded_in_chunks_followed_moved_from_key_to_key_and_truncated(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        Assert.True(await bed.ReadingsAsync("till", Ct) > 9, "it was loaded in one piece");
        string[] changes =
        [
            "UPDATE loyalty_program_pos_config_rel SET version = version + 1 WHERE loyalty_program_id = 3",
            "UPDATE loyalty_program_pos_config_rel SET pos_config_id = pos_config_id + 100 WHERE loyalty_program_id = 4",
            "UPDATE loyalty_program_pos_config_rel SET loyalty_program_id = 50 WHERE loyalty_program_id = 5",
            // Two rows change places.
            "UPDATE loyalty_program_pos_config_rel SET loyalty_program_id = 999 WHERE loyalty_program_id = 6 AND pos_config_id = 1; "
                + "UPDATE loyalty_program_pos_config_rel SET loyalty_program_id = 6, pos_config_id = 1 WHERE loyalty_program_id = 6 AND pos_config_id = 2; "
                + "UPDATE loyalty_program_pos_config_rel SET loyalty_program_id = 6, pos_config_id = 2 WHERE loyalty_program_id = 999",
            "DELETE FROM loyalty_program_pos_config_rel WHERE pos_config_id = 7",
            // A transaction that is large beside what is remembered of it.
            "INSERT INTO loyalty_program_pos_config_rel SELECT 60, c, c, repeat('x', 3000) FROM generate_series(1, 300) c",
            "TRUNCATE loyalty_program_pos_config_rel; INSERT INTO loyalty_program_pos_config_rel VALUES (1, 1, 5, 'again'), (2147483647, 2147483647, 6, 'again')",
        ];
        foreach (var change in changes)
        {
            await bed.Source.ExecuteAsync($"BEGIN; {change}; COMMIT", Ct);
            await bed.CaughtUpAsync(Ct);
            await bed.AssertEqualAsync(Ct);
        }
        Assert.Equal(
            ["1|1|again", "2147483647|2147483647|again"],
            await bed.Engine.RowsAsync("SELECT program_id, pos_config_id, note FROM tills ORDER BY id", Ct)
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_deleted_in_a_gap_goes_when_the_table_is_read_again(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        await either.StopAsync();
        await bed.Source.ExecuteAsync(
            """
            SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database();
            DELETE FROM loyalty_program_pos_config_rel WHERE (loyalty_program_id, pos_config_id) IN ((0, 0), (2147483647, 2147483647), (3, 8), (4, 1));
            UPDATE loyalty_program_pos_config_rel SET pos_config_id = 77 WHERE (loyalty_program_id, pos_config_id) = (5, 5);
            INSERT INTO loyalty_program_pos_config_rel VALUES (5, 0, 1, 'new')
            """,
            Ct
        );
        bed.SourceOptions = bed.SourceOptions with { AcceptGaps = true };
        either.Start();
        await bed.EqualByItselfAsync(Ct);
        Assert.Equal(["5,0", "5,77"], await KeysAsync(bed, "program_id = 5 AND pos_config_id IN (0, 5, 77)"));
        Assert.Empty(await KeysAsync(bed, "(program_id, pos_config_id) IN ((0, 0), (2147483647, 2147483647), (3, 8), (4, 1))"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_that_breaks_a_rule_waits_by_its_key_and_is_looked_at_and_tried_again_by_both_columns(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        await bed.Source.ExecuteAsync(
            "UPDATE loyalty_program_pos_config_rel SET version = -version WHERE loyalty_program_id = 6 AND pos_config_id < 4",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(3, (await bed.EntriesAsync(Ct)).Count);
        Assert.Contains(
            "till 6,1 is in quarantine",
            await bed.CommandAsync(Ct, "quarantine", "show", "till", "6,1"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "1 entries discarded (till 6,3)",
            await bed.CommandAsync(Ct, "quarantine", "discard", "till", "6,3", "--yes"),
            StringComparison.Ordinal
        );
        await bed.CommandAsync(Ct, "quarantine", "retry", "till", "6,1");
        await Eventually.True(
            "the row was tried again",
            async () => await bed.Engine.ScalarAsync<int>("SELECT max(attempts) FROM cdc.quarantine", Ct) == 2,
            async () => string.Join("; ", await bed.Engine.RowsAsync("SELECT key, attempts FROM cdc.quarantine", Ct)),
            ct: Ct
        );
        await using (var api = await ApiBed.StartAsync(bed, Ct))
        {
            Assert.Contains("\"key\":\"6,1\"", await api.Client.GetStringAsync("/quarantine", Ct), StringComparison.Ordinal);
            Assert.Contains(
                "cdc quarantine retry till 6,2",
                await api.Client.GetStringAsync("/quarantine/till/6,2", Ct),
                StringComparison.Ordinal
            );
            Assert.Equal(404, (int)(await api.Client.GetAsync("/quarantine/till/6", Ct)).StatusCode);
        }
        await bed.Source.ExecuteAsync("UPDATE loyalty_program_pos_config_rel SET version = -version WHERE version < 0", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.NoneQuarantinedAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_comparison_finds_each_difference_by_its_key_and_a_repair_ends_it(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        var request = new RunRequest(RunKind.Full, [bed.Entities.Find("till")!]);
        Assert.Equal("consistent", (await bed.ReconcileAsync(request, Ct)).Run.Verdict);
        await bed.Engine.ExecuteAsync(
            $"""
            UPDATE tills SET note = 'damaged' WHERE (program_id, pos_config_id) = (2, 3);
            DELETE FROM tills WHERE (program_id, pos_config_id) IN ((9, 8), (2147483647, 2147483647));
            INSERT INTO tills (id, program_id, pos_config_id) VALUES ({KeyPair.Number(70, 7)}, 70, 7)
            """,
            Ct
        );
        var report = await bed.ReconcileAsync(request, Ct);
        Assert.Equal(
            ["2,3 differing", "9,8 missing", "70,7 extra", "2147483647,2147483647 missing"],
            report.Drift.OrderBy(d => d.Key).Select(d => $"{KeyText.Of(d.Key)} {d.Kind}").Distinct()
        );
        Assert.Equal(81, report.Total.Compared - 1);
        var output = await bed.CommandAsync(Ct, "reconcile", "till", "--repair", "--yes");
        Assert.Contains("4 keys are equal now, 0 still differ", output, StringComparison.Ordinal);
        await bed.AssertEqualAsync(Ct);
        // A part of the keys, each end by both columns.
        Assert.Contains("of 12 keys", await bed.CommandAsync(Ct, "reconcile", "till", "--partition", "3,5..5,1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_range_of_keys_is_read_again_by_both_columns_and_one_of_ids_is_refused()
    {
        await using var either = await StartAsync(overKafka: false);
        var bed = either.Bed;
        await bed.Engine.ExecuteAsync("UPDATE tills SET source_lsn = '0/0', note = 'damaged' WHERE program_id BETWEEN 6 AND 8", Ct);
        Assert.Contains(
            "till [6,3..8,1)",
            await bed.CommandAsync(Ct, "snapshot", "till", "--keys", "6,3..8,1", "--wait"),
            StringComparison.Ordinal
        );
        Assert.Equal("10", await bed.Engine.ScalarAsync<string>("SELECT count(*)::text FROM tills WHERE note = 'damaged'", Ct));
        var (code, said) = await CdcProcess.RunAsync(["snapshot", "till", "--keys", "6.."], bed.Environment(), Ct);
        Assert.Equal(2, code);
        Assert.Contains("its key is loyalty_program_id, pos_config_id", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_checked_at_commit_may_be_met_by_another_row()
    {
        await using var either = await StartAsync(
            overKafka: true,
            """
            ALTER TABLE loyalty_program_pos_config_rel DROP CONSTRAINT loyalty_program_pos_config_rel_pkey, ADD PRIMARY KEY (loyalty_program_id, pos_config_id) DEFERRABLE;
            ALTER TABLE loyalty_program_pos_config_rel REPLICA IDENTITY FULL
            """
        );
        foreach (
            var change in (string[])
                [
                    "UPDATE loyalty_program_pos_config_rel SET pos_config_id = pos_config_id + 1 WHERE loyalty_program_id BETWEEN 1 AND 9",
                    "UPDATE loyalty_program_pos_config_rel SET pos_config_id = 10 - pos_config_id WHERE loyalty_program_id = 3",
                    "SET CONSTRAINTS ALL DEFERRED; UPDATE loyalty_program_pos_config_rel SET pos_config_id = 3 WHERE loyalty_program_id = 4 AND pos_config_id = 2; "
                        + "DELETE FROM loyalty_program_pos_config_rel WHERE loyalty_program_id = 4 AND pos_config_id = 3 AND version = 402",
                    // It came to a key whose row has stayed, and left: the stream does not say that row's columns, but for its key.
                    "SET CONSTRAINTS ALL DEFERRED; UPDATE loyalty_program_pos_config_rel SET pos_config_id = 4 WHERE version = 802; UPDATE loyalty_program_pos_config_rel SET pos_config_id = 3 WHERE version = 802",
                ]
        )
        {
            await either.Bed.Source.ExecuteAsync($"BEGIN; {change}; COMMIT", Ct);
            await either.Bed.CaughtUpAsync(Ct);
            await either.Bed.AssertEqualAsync(Ct);
        }
    }

    /// <summary>Of a table without a primary key the replica identity says which row it is.</summary>
    [Fact]
    public async Task A_unique_index_as_replica_identity_is_a_key_as_well()
    {
        await using var either = await StartAsync(
            overKafka: false,
            """
            ALTER TABLE loyalty_program_pos_config_rel DROP CONSTRAINT loyalty_program_pos_config_rel_pkey;
            CREATE UNIQUE INDEX pair ON loyalty_program_pos_config_rel (pos_config_id, loyalty_program_id);
            ALTER TABLE loyalty_program_pos_config_rel REPLICA IDENTITY USING INDEX pair
            """
        );
        await either.Bed.Source.ExecuteAsync(
            "UPDATE loyalty_program_pos_config_rel SET pos_config_id = 40 WHERE pos_config_id = 4; DELETE FROM loyalty_program_pos_config_rel WHERE pos_config_id = 5",
            Ct
        );
        await either.Bed.CaughtUpAsync(Ct);
        await either.Bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_negative_column_and_one_that_becomes_wide_stop_the_table_alone()
    {
        await using var either = await StartAsync(overKafka: false);
        var bed = either.Bed;
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_program_pos_config_rel VALUES (-1, 1, 1, 'negative'); UPDATE loyalty_card SET points = 7",
            Ct
        );
        await Eventually.True(
            "the table stops, or is not read to its end",
            async () => await bed.Engine.ScalarAsync<string>("SELECT state FROM cdc.tables WHERE entity = 'till'", Ct) != "streaming",
            () => bed.Engine.ScalarAsync<string>("SELECT state FROM cdc.tables WHERE entity = 'till'", Ct)!,
            ct: Ct
        );
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_program_pos_config_rel WHERE loyalty_program_id = -1", Ct);
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_program_pos_config_rel ALTER pos_config_id TYPE bigint", Ct);
        Assert.Contains("is bigint: a key of two columns", await bed.StoppedAsync("till", Ct), StringComparison.Ordinal);
        await bed.OthersEqualAsync("till", Ct);
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_program_pos_config_rel ALTER pos_config_id TYPE int", Ct);
        await bed.EqualByItselfAsync(Ct);
    }

    private static Task<IReadOnlyList<string>> KeysAsync(PipelineBed bed, string where) =>
        bed.Engine.RowsAsync($"SELECT program_id || ',' || pos_config_id FROM tills WHERE {where} ORDER BY id", Ct);

    /// <summary>Loaded and equal, in chunks of a few rows.</summary>
    private async Task<EitherLogBed> StartAsync(bool overKafka, string sourceSql = "")
    {
        var either = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct, Tills.Entities);
        either.UseAvro();
        var bed = either.Bed;
        bed.Declaration = Tills.Path;
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 7 };
        bed.SourceOptions = bed.SourceOptions with { RememberedKeys = 50 };
        await bed.Source.ExecuteAsync(Tills.Setup + sourceSql, Ct);
        await bed.Source.ExecuteAsync(Fill, Ct);
        await bed.FillAsync(Ct, cards: 5);
        await Tills.CreateEngineTableAsync(bed, Ct);
        either.Start();
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        return either;
    }
}
