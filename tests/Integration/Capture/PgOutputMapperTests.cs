using Cdc.Core.Changes;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

/// <summary>What the server really sends for what Odoo really does.</summary>
public sealed class PgOutputMapperTests(TestServers servers)
{
    private const string CardTable =
        "CREATE TABLE card (id serial PRIMARY KEY, noise int DEFAULT 7, code varchar, points float8, origin text); ";
    private const string Card = "card: id integer, code text, points float";
    private const string CardWithOrigin = "card: id integer, code text, origin text";

    [Fact]
    public async Task Insert_then_update_in_one_transaction_come_in_order_with_ordinals_from_zero()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("BEGIN; INSERT INTO card (code, points) VALUES ('a', 1.5); UPDATE card SET points = NULL; COMMIT");
        var seen = await bed.ReadAllAsync();
        Assert.Equal(
            [
                "begin",
                "insert card 1@0 id=1 code=a points=1.5",
                "update card 1@1 id=1 code=a points=<null>",
                "commit 1",
                "message test-end ",
            ],
            seen.Lines
        );
    }

    [Fact]
    public async Task Positions_carry_the_commit_lsn_and_the_commit_its_end()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("INSERT INTO card (code) VALUES ('a')");
        await bed.RunAsync("INSERT INTO card (code) VALUES ('b')");
        var seen = await bed.ReadAllAsync();
        var commits = seen.Events.OfType<CommitChange>().ToList();
        Assert.Equal(2, commits.Count);
        Assert.All(
            commits,
            c => Assert.True(c.EndLsn > c.Transaction.CommitLsn && c.Last.CommitLsn == c.Transaction.CommitLsn && c.Last.Generation == 1)
        );
        Assert.True(commits[1].Transaction.CommitLsn >= commits[0].EndLsn);
    }

    [Fact]
    public async Task A_savepoint_rolled_back_leaves_nothing_and_the_xid_is_the_top_one()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("INSERT INTO card (code) VALUES ('x')");
        var top = await bed.ScalarAsync<string>(
            """
            BEGIN; INSERT INTO card (code) VALUES ('kept'); SELECT pg_current_xact_id()::text;
            SAVEPOINT s; INSERT INTO card (code) VALUES ('gone'); ROLLBACK TO s;
            SAVEPOINT t; UPDATE card SET code = 'sub' WHERE id = 1; RELEASE t; COMMIT
            """
        );
        var seen = await bed.ReadAllAsync();
        Assert.Equal(
            ["insert card 2@0 id=2 code=kept points=<null>", "update card 1@1 id=1 code=sub points=<null>"],
            seen.Changes.Skip(1).Take(2)
        );
        Assert.Equal(top, seen.Transactions[1].Xid.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_prepared_transaction_comes_when_it_is_committed()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        var gid = bed.Database.Name;
        await bed.RunAsync($"BEGIN; INSERT INTO card (code) VALUES ('prepared'); PREPARE TRANSACTION '{gid}'");
        await bed.RunAsync("INSERT INTO card (code) VALUES ('between')");
        await bed.RunAsync($"COMMIT PREPARED '{gid}'");
        var seen = await bed.ReadAllAsync();
        Assert.Equal(
            ["insert card 2@0 id=2 code=between points=<null>", "insert card 1@0 id=1 code=prepared points=<null>"],
            seen.Changes.Take(2)
        );
        Assert.True(seen.Transactions[1].Xid < seen.Transactions[0].Xid);
    }

    [Fact]
    public async Task A_toasted_value_that_an_update_does_not_touch_is_unchanged()
    {
        await using var bed = await StreamTestBed.CreateAsync(
            servers,
            CardTable + "ALTER TABLE card ALTER origin SET STORAGE EXTERNAL",
            CardWithOrigin
        );
        await bed.RunAsync("INSERT INTO card (code, origin) VALUES ('a', repeat('x', 1000000))");
        await bed.RunAsync("UPDATE card SET code = 'b'");
        await bed.RunAsync("UPDATE card SET id = 9");
        var seen = await bed.ReadAllAsync();
        Assert.Equal(
            [
                "insert card 1@0 id=1 code=a origin=(1000000 bytes)",
                "update card 1@0 id=1 code=b origin=<unchanged>",
                "delete card 1@0",
                "rekey card 9@1 id=9 code=b origin=<unchanged>",
            ],
            seen.Changes.Take(4)
        );
    }

    [Fact]
    public async Task Replica_identity_full_brings_the_old_row_whole()
    {
        await using var bed = await StreamTestBed.CreateAsync(
            servers,
            CardTable + "ALTER TABLE card ALTER origin SET STORAGE EXTERNAL; ALTER TABLE card REPLICA IDENTITY FULL",
            CardWithOrigin
        );
        await bed.RunAsync("INSERT INTO card (code, origin) VALUES ('a', repeat('x', 5000))");
        await bed.RunAsync("BEGIN; UPDATE card SET code = 'b'; UPDATE card SET id = 9; DELETE FROM card; COMMIT");
        var seen = await bed.ReadAllAsync();
        Assert.Equal(
            [
                "update card 1@0 id=1 code=b origin=<unchanged> before id=1 code=a origin=(5000 bytes)",
                "delete card 1@2 before id=1 code=b origin=(5000 bytes)",
                "rekey card 9@3 id=9 code=b origin=<unchanged> before id=1 code=b origin=(5000 bytes)",
                "delete card 9@4 before id=9 code=b origin=(5000 bytes)",
            ],
            seen.Changes.Skip(1).Take(4)
        );
    }

    [Fact]
    public async Task A_key_update_takes_two_ordinals_a_delete_and_a_new_row()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("INSERT INTO card (code) VALUES ('a'), ('b')");
        await bed.RunAsync("BEGIN; DELETE FROM card WHERE id = 2; UPDATE card SET id = 2 WHERE id = 1; UPDATE card SET code = 'c'; COMMIT");
        var seen = await bed.ReadAllAsync();
        Assert.Equal(
            ["delete card 2@0", "delete card 1@1", "rekey card 2@2 id=2 code=a points=<null>", "update card 2@3 id=2 code=c points=<null>"],
            seen.Changes.Skip(2).Take(4)
        );
    }

    [Fact]
    public async Task Rows_of_tables_that_nobody_declared_are_passed_over_and_counted()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable + "CREATE TABLE other (id int PRIMARY KEY, x int)", Card);
        await bed.RunAsync("ALTER PUBLICATION cdc_test ADD TABLE other");
        await bed.RunAsync(
            """
            BEGIN; INSERT INTO other VALUES (1, 1); UPDATE other SET x = 2; UPDATE other SET id = 2; DELETE FROM other; TRUNCATE other;
            INSERT INTO card (code) VALUES ('a'); INSERT INTO other VALUES (3, 3); COMMIT
            """
        );
        var seen = await bed.ReadAllAsync();
        var behind = 5 + TruncateChange.Ordinals;
        Assert.Equal(["begin", $"insert card 1@{behind} id=1 code=a points=<null>", $"commit {behind + 1}"], seen.Lines.Take(3));
    }

    [Fact]
    public async Task Truncate_cascade_names_every_table_it_reached()
    {
        const string History = "CREATE TABLE history (id serial PRIMARY KEY, card_id int REFERENCES card ON DELETE CASCADE); ";
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable + History, Card, "history: id integer, card_id integer");
        await bed.RunAsync("INSERT INTO card (code) VALUES ('a'); INSERT INTO history (card_id) VALUES (1)");
        await bed.RunAsync("BEGIN; DELETE FROM card; INSERT INTO card (code) VALUES ('b'); TRUNCATE card CASCADE; COMMIT");
        var seen = await bed.ReadAllAsync();
        Assert.Equal(
            ["delete card 1@0", "delete history 1@1", "insert card 2@2 id=2 code=b points=<null>", "truncate card,history@3"],
            seen.Changes.Skip(2).Take(4)
        );
    }

    [Fact]
    public async Task One_table_may_feed_several_entities_at_one_position()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card, "codes=card: id integer, code text");
        await bed.RunAsync("INSERT INTO card (code, points) VALUES ('a', 2)");
        var seen = await bed.ReadAllAsync();
        Assert.Equal(["begin", "insert card 1@0 id=1 code=a points=2", "insert codes 1@0 id=1 code=a", "commit 0"], seen.Lines.Take(4));
    }

    [Fact]
    public async Task Columns_added_and_dropped_in_the_middle_of_a_transaction_are_found_by_name()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync(
            """
            BEGIN; INSERT INTO card (code) VALUES ('a'); ALTER TABLE card DROP noise, ADD extra text DEFAULT 'e';
            INSERT INTO card (code, points) VALUES ('b', 1); COMMIT
            """
        );
        var seen = await bed.ReadAllAsync();
        Assert.Equal(["insert card 1@0 id=1 code=a points=<null>", "insert card 2@1 id=2 code=b points=1"], seen.Changes.Take(2));
        var schemas = seen.Events.OfType<RowChange>().Select(r => r.Schema).ToList();
        Assert.NotSame(schemas[0], schemas[1]);
    }

    [Fact]
    public async Task A_mapped_column_that_is_renamed_stops_the_table()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card, "codes=card: id integer, code text");
        await bed.RunAsync(
            """
            BEGIN; INSERT INTO card (code) VALUES ('a'); ALTER TABLE card RENAME points TO score; INSERT INTO card (code) VALUES ('b');
            ALTER TABLE card RENAME score TO points; INSERT INTO card (code) VALUES ('c'); COMMIT
            """
        );
        var seen = await bed.ReadAllAsync();
        Assert.StartsWith("stop card@1: The stream brings public.card without column points.", seen.Changes[2], StringComparison.Ordinal);
        // It is for the catalog to say that it goes on.
        Assert.Equal(
            ["insert codes 2@1 id=2 code=b", "insert card 3@2 id=3 code=c points=<null>", "insert codes 3@2 id=3 code=c"],
            seen.Changes.Skip(3).Take(3)
        );
    }

    [Fact]
    public async Task A_type_that_cannot_be_read_stops_the_table()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("ALTER TABLE card ALTER points TYPE int4range USING NULL; INSERT INTO card (code) VALUES ('a')");
        var seen = await bed.ReadAllAsync();
        Assert.StartsWith(
            "stop card@0: Column points of public.card is of the type with OID 3904",
            Assert.Single(seen.Changes.SkipLast(1)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_stopped_entity_is_not_stopped_again_and_the_stream_does_not_let_it_go_on()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("INSERT INTO card (code) VALUES ('a'); ALTER TABLE card DROP points; INSERT INTO card (code) VALUES ('b')");
        var seen = await bed.ReadAllAsync(stopped: 0);
        Assert.Equal("insert card 1@0 id=1 code=a points=<null>", Assert.Single(seen.Changes.SkipLast(1)));
    }

    /// <summary>What the catalog let go on is not passed over in silence.</summary>
    [Fact]
    public async Task Rows_that_cannot_be_read_stop_an_entity_that_went_on_unless_its_reading_comes_after_them()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await using var source = await bed.StartAsync();
        await bed.RunAsync("ALTER TABLE card DROP points; INSERT INTO card (code) VALUES ('a')");
        var first = await bed.ReadAllAsync(source);
        Assert.StartsWith("stop card@0", Assert.Single(first.Changes.SkipLast(1)), StringComparison.Ordinal);

        var relation = await bed.ScalarAsync<uint>("SELECT 'card'::regclass::oid");
        await bed.RunAsync("INSERT INTO card (code) VALUES ('b')");
        bed.GoOn(entity: 0, relation, barrierXid: await bed.CurrentXidAsync());
        await bed.RunAsync("INSERT INTO card (code) VALUES ('c')");
        var second = await bed.ReadAllAsync(source);
        Assert.StartsWith("stop card@0", Assert.Single(second.Changes.SkipLast(1)), StringComparison.Ordinal);
        Assert.Equal(["begin", "commit 0", "begin"], second.Lines.Take(3));
    }

    [Fact]
    public async Task A_row_without_its_key_stops_the_table()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync(
            """
            ALTER TABLE card DROP CONSTRAINT card_pkey, ALTER id DROP NOT NULL, REPLICA IDENTITY FULL;
            INSERT INTO card (code) VALUES ('a'); INSERT INTO card (id, code) VALUES (NULL, 'b'), (NULL, 'c'), (7, 'd'); UPDATE card SET code = 'e'; DELETE FROM card
            """
        );
        var seen = await bed.ReadAllAsync();
        Assert.Equal("insert card 1@0 id=1 code=a points=<null>", seen.Changes[0]);
        Assert.StartsWith(
            "stop card@2: A row of public.card came without its key id.",
            Assert.Single(seen.Changes.Skip(1).SkipLast(1)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_table_renamed_away_stops_and_the_one_that_takes_its_name_feeds_the_entity()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync(
            """
            INSERT INTO card (code) VALUES ('a'); ALTER TABLE card RENAME TO old_card; INSERT INTO old_card (code) VALUES ('b');
            CREATE TABLE card (id int PRIMARY KEY, code text, points float8); ALTER PUBLICATION cdc_test ADD TABLE card
            """
        );
        await bed.RunAsync("INSERT INTO card VALUES (5, 'c', 0); INSERT INTO old_card (code) VALUES ('d')");
        var seen = await bed.ReadAllAsync();
        Assert.StartsWith("stop card@1: Table public.card was renamed to public.old_card", seen.Changes[1], StringComparison.Ordinal);
        Assert.Equal("insert card 5@0 id=5 code=c points=0", Assert.Single(seen.Changes.Skip(2).SkipLast(1)));
    }

    [Fact]
    public async Task A_replica_identity_without_the_key_stops_the_table()
    {
        await using var bed = await StreamTestBed.CreateAsync(
            servers,
            CardTable + "CREATE UNIQUE INDEX by_code ON card (code); ALTER TABLE card ALTER code SET NOT NULL",
            Card
        );
        await bed.RunAsync("ALTER TABLE card REPLICA IDENTITY USING INDEX by_code; INSERT INTO card (code) VALUES ('a')");
        var seen = await bed.ReadAllAsync();
        Assert.Contains(
            "ALTER TABLE public.card REPLICA IDENTITY DEFAULT;",
            Assert.Single(seen.Changes.SkipLast(1)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Transactional_messages_of_others_are_passed_over()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("BEGIN; INSERT INTO card (code) VALUES ('a'); SELECT pg_logical_emit_message(true, 'x', 'y'); COMMIT");
        var seen = await bed.ReadAllAsync();
        Assert.Equal("test-end", Assert.Single(seen.Messages).Prefix);
    }
}
