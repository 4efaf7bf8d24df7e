using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>What changes rows without an event is noticed, and the table is read again by itself.</summary>
public sealed class TablesReadAgainTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    // Rewritten: every row differs, and no event says so.
    [InlineData("ALTER TABLE loyalty_card ALTER COLUMN points TYPE double precision USING points * 2")]
    [InlineData("ALTER TABLE loyalty_card ALTER COLUMN points TYPE real USING (points + 0.25)")]
    [InlineData("ALTER TABLE loyalty_card ALTER COLUMN partner_id TYPE bigint, ALTER COLUMN code TYPE text USING code || 'x'")]
    // A default that PostgreSQL keeps in the catalog: no row is touched.
    [InlineData(
        "BEGIN; ALTER TABLE loyalty_card DROP COLUMN company_id; ALTER TABLE loyalty_card ADD COLUMN company_id int4 DEFAULT 7; COMMIT"
    )]
    // Unseen while it was not published.
    [InlineData(
        "BEGIN; ALTER PUBLICATION {publication} DROP TABLE loyalty_card; UPDATE loyalty_card SET points = 8; DELETE FROM loyalty_card WHERE id > 45; COMMIT"
    )]
    [InlineData(
        "ALTER PUBLICATION {publication} DROP TABLE loyalty_card; UPDATE loyalty_card SET points = 8; ALTER PUBLICATION {publication} ADD TABLE loyalty_card"
    )]
    // Another table under the same name.
    [InlineData(
        "BEGIN; CREATE TABLE another (LIKE loyalty_card INCLUDING ALL); INSERT INTO another SELECT * FROM loyalty_card WHERE id < 20; UPDATE another SET points = 4; DROP TABLE loyalty_card CASCADE; ALTER TABLE another RENAME TO loyalty_card; COMMIT"
    )]
    [InlineData(
        "CREATE TABLE another (LIKE loyalty_card INCLUDING ALL); INSERT INTO another SELECT * FROM loyalty_card WHERE id < 20; DROP TABLE loyalty_card CASCADE; ALTER TABLE another RENAME TO loyalty_card; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (77, 1, 'another', 7)"
    )]
    public async Task What_sends_no_event_is_noticed_and_read_again(string change)
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync(change.Replace("{publication}", bed.SourceOptions.Publication, StringComparison.Ordinal), Ct);
        await bed.EqualByItselfAsync(Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 99 WHERE id < 10; DELETE FROM loyalty_card WHERE id = 11", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_table_that_is_dropped_stops_and_created_again_is_read_again()
    {
        await using var bed = await StartedAsync();
        var create = await File.ReadAllTextAsync(SourceTree.PathOf("schemas/odoo/0001_loyalty.sql"), Ct);
        create = create[create.IndexOf("CREATE TABLE loyalty_point_history", StringComparison.Ordinal)..];
        await bed.Source.ExecuteAsync("DROP TABLE loyalty_point_history", Ct);
        Assert.Contains("loyalty_point_history", await bed.StoppedAsync("history", Ct), StringComparison.Ordinal);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 3", Ct);
        await bed.OthersEqualAsync("history", Ct);
        await bed.Source.ExecuteAsync(
            $"{create}; INSERT INTO loyalty_point_history (loyalty_card_id, points_balance) VALUES (1, 5), (2, 6)",
            Ct
        );
        await bed.EqualByItselfAsync(Ct);
        Assert.Equal(2, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM point_history", Ct));
    }

    [Fact]
    public async Task Columns_that_nobody_declared_come_and_go_without_a_reading()
    {
        await using var bed = await StartedAsync();
        var readings = await bed.ReadingsAsync("card", Ct);
        await bed.Source.ExecuteAsync(
            """
            ALTER TABLE loyalty_card ADD COLUMN extra text DEFAULT 'x'; UPDATE loyalty_card SET points = 2 WHERE id = 1;
            ALTER TABLE loyalty_card RENAME COLUMN note TO remark; UPDATE loyalty_card SET points = 3 WHERE id = 2;
            ALTER TABLE loyalty_card DROP COLUMN access_token; UPDATE loyalty_card SET points = 4 WHERE id = 3;
            BEGIN; ALTER TABLE loyalty_card RENAME COLUMN code TO kode; ALTER TABLE loyalty_card RENAME COLUMN kode TO code; UPDATE loyalty_card SET points = 5 WHERE id = 4; COMMIT;
            """,
            Ct
        );
        // The marker of a requested reading comes behind all of it, and the watch has looked in between.
        await bed.CommandAsync(Ct, "snapshot", "program", "--wait");
        await bed.CommandAsync(Ct, "snapshot", "move", "--wait");
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(readings, await bed.ReadingsAsync("card", Ct));
    }

    [Fact]
    public async Task A_writer_that_began_before_the_table_was_published_again_is_not_lost()
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync($"ALTER PUBLICATION {bed.SourceOptions.Publication} DROP TABLE loyalty_program", Ct);
        await using var writer = await bed.Source.DataSource.OpenConnectionAsync(Ct);
        await using (
            var open = new NpgsqlCommand(
                "BEGIN; INSERT INTO loyalty_program (id, name) SELECT i, 'open' FROM generate_series(100, 120) i",
                writer
            )
        )
            await open.ExecuteNonQueryAsync(Ct);
        await Eventually.True(
            "the table is published again",
            async () =>
                await bed.Source.ScalarAsync<long>(
                    $"SELECT count(*) FROM pg_publication_tables WHERE pubname = '{bed.SourceOptions.Publication}' AND tablename = 'loyalty_program'",
                    Ct
                ) == 1,
            ct: Ct
        );
        await using (var commit = new NpgsqlCommand("COMMIT", writer))
            await commit.ExecuteNonQueryAsync(Ct);
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task One_source_table_may_feed_two_entities()
    {
        const string Second = """
            {
              "name": "wallet",
              "source": { "table": "public.loyalty_card", "key": "id", "columns": { "id": "int4", "partner_id": "int4", "points": "float8" } },
              "engine": {
                "table": "public.wallets", "key": "id",
                "columns": [
                  { "name": "odoo_wallet_id", "type": "integer", "value": "id", "notNull": true },
                  { "name": "owner", "type": "bigint", "value": "partner_id", "notNull": true },
                  { "name": "balance", "type": "numeric(18,2)", "value": "round(points::numeric, 2)" },
                ],
              },
            },
            """;
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        var declaration = await File.ReadAllTextAsync(SourceTree.PathOf("schemas/entities.json"), Ct);
        bed.Entities = EntityFile.Parse(
            declaration.Replace("\"entities\": [", "\"entities\": [" + Second, StringComparison.Ordinal),
            "two.json"
        );
        await bed.Engine.ExecuteAsync(
            """
            CREATE TABLE wallets (id bigint PRIMARY KEY, odoo_wallet_id integer, owner bigint NOT NULL, balance numeric(18,2),
                source_generation integer NOT NULL DEFAULT 0, source_lsn pg_lsn NOT NULL DEFAULT '0/0', source_ordinal bigint NOT NULL DEFAULT 0, source_commit_at timestamptz)
            """,
            Ct
        );
        await bed.FillAsync(Ct);
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_point_move; UPDATE loyalty_card SET partner_id = id WHERE id > 10", Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        // Each has rules of its own: a card without an owner is a card, and no wallet.
        Assert.Equal(
            "50|40|10",
            Assert.Single(
                await bed.Engine.RowsAsync(
                    "SELECT (SELECT count(*) FROM loyalty_cards), (SELECT count(*) FROM wallets), (SELECT count(*) FROM cdc.quarantine WHERE entity = 'wallet')",
                    Ct
                )
            )
        );
        await bed.Source.ExecuteAsync(
            """
            BEGIN; UPDATE loyalty_card SET points = points + 1; UPDATE loyalty_card SET id = id + 1000 WHERE id IN (20, 21); DELETE FROM loyalty_card WHERE id = 30;
            UPDATE loyalty_card SET partner_id = 4 WHERE id = 4; COMMIT;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        await bed.Source.ExecuteAsync(
            "TRUNCATE loyalty_card CASCADE; INSERT INTO loyalty_card (id, program_id, partner_id, code, points) VALUES (1, 1, 1, 'z', 1)",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(1, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM wallets", Ct));
    }

    private async Task<PipelineBed> StartedAsync()
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        return bed;
    }
}
