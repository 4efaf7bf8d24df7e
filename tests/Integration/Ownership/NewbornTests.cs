using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary>What is born in the engine comes back from Odoo under an id of Odoo's, and is one row all the same.</summary>
public sealed class NewbornTests(TestServers servers, TestKafka kafka)
{
    private const string Cards =
        "SELECT id - 4294967296, odoo_card_id, code, points, partner_id, odoo_number IS NOT NULL, base FROM loyalty_cards ORDER BY id";

    private const string Histories =
        "SELECT id - 4294967296, odoo_history_id, loyalty_card_id - 4294967296, points_amount FROM point_history ORDER BY id";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_newborn_and_its_echo_are_one_row_and_what_Odoo_adds_to_it_follows(bool overKafka)
    {
        await using var log = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct, OwnedEntities.All);
        var bed = log.Bed;
        await BeginAsync(log);
        await BornAsync(bed);
        // Meanwhile the engine goes on.
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 2, partner_id = 30", Ct);
        await CreateAsync(bed);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["0|50|BORN|7.00|30|t|{\"points\": 5.00, \"partner_id\": 20}"], await bed.Engine.RowsAsync(Cards, Ct));
        Assert.Equal(["0|70|0|5.00"], await bed.Engine.RowsAsync(Histories, Ct));
        Assert.Equal(
            ["card create synced", "history create synced", "card update pending"],
            await bed.Engine.RowsAsync("SELECT entity || ' ' || action || ' ' || status FROM cdc.sync_log ORDER BY number", Ct)
        );
        // An order at Odoo's till, of that card.
        await bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = points + 3; INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount) VALUES (71, 50, 3)",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["0|50|BORN|10.00|30|t|{\"points\": 8.00, \"partner_id\": 20}"], await bed.Engine.RowsAsync(Cards, Ct));
        Assert.Equal(
            ["71 0"],
            await bed.Engine.RowsAsync("SELECT id || ' ' || loyalty_card_id - 4294967296 FROM point_history WHERE id < 4294967296", Ct)
        );
        Assert.Empty(await bed.Engine.RowsAsync("SELECT kind, field FROM cdc.conflicts", Ct));
        await ComparesEqualAsync(bed, 3);

        // Read again it is what it was, and Odoo's deletes reach it: its history goes, the card that the engine owns stays, and stops.
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity, allow_deletes) VALUES ('snapshot', 'card', 100)", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["0|50|BORN|10.00|30|t|{\"points\": 8.00, \"partner_id\": 20}"], await bed.Engine.RowsAsync(Cards, Ct));
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_point_history; DELETE FROM loyalty_card", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Empty(await bed.Engine.RowsAsync(Histories, Ct));
        Assert.Equal(["0 null"], await bed.Engine.RowsAsync("SELECT id - 4294967296 || ' ' || base::text FROM loyalty_cards", Ct));
    }

    [Fact]
    public async Task What_the_application_has_deleted_meanwhile_does_not_come_back()
    {
        await using var log = await EitherLogBed.CreateAsync(servers, kafka, false, Ct, OwnedEntities.All);
        await BeginAsync(log);
        await BornAsync(log.Bed);
        await log.Bed.Engine.ExecuteAsync("DELETE FROM point_history", Ct);
        await CreateAsync(log.Bed);
        await log.Bed.CaughtUpAsync(Ct);
        Assert.Empty(await log.Bed.Engine.RowsAsync(Histories, Ct));
        Assert.Equal("0|50|BORN|5.00|20|t|", Assert.Single(await log.Bed.Engine.RowsAsync(Cards, Ct)));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    public async Task A_name_that_somebody_else_has_given_names_nothing(string name)
    {
        await using var log = await EitherLogBed.CreateAsync(servers, kafka, false, Ct, OwnedEntities.All);
        await BeginAsync(log);
        await BornAsync(log.Bed);
        await log.Bed.Source.ExecuteAsync(
            $"INSERT INTO loyalty_card (id, program_id, code, points, x_cdc_ref) VALUES (50, 1, 'OTHER', 1, '{name}')",
            Ct
        );
        await log.Bed.CaughtUpAsync(Ct);
        Assert.Equal(
            ["50 OTHER", "4294967296 BORN"],
            await log.Bed.Engine.RowsAsync("SELECT id || ' ' || code FROM loyalty_cards ORDER BY id", Ct)
        );
    }

    private static async Task BeginAsync(EitherLogBed log)
    {
        await OwnedEntities.UseAsync(log.Bed, Ct);
        await log.Bed.Source.ExecuteAsync("INSERT INTO loyalty_program (name) VALUES ('one')", Ct);
        log.Start();
        await log.Bed.CaughtUpAsync(Ct);
    }

    private static Task BornAsync(PipelineBed bed) =>
        bed.Engine.ExecuteAsync(
            """
            INSERT INTO loyalty_cards (program_id, code, points, partner_id) VALUES (1, 'BORN', 5, 20);
            INSERT INTO point_history (loyalty_card_id, points_amount, origin) SELECT id, 5, 'pos' FROM loyalty_cards
            """,
            Ct
        );

    /// <summary>As the server action creates them, in one transaction: the card, its history, then points and number.</summary>
    private static async Task CreateAsync(PipelineBed bed)
    {
        var names = await bed.Engine.RowsAsync("SELECT uuid FROM cdc.sync_log WHERE action = 'create' ORDER BY number", Ct);
        var number = await bed.Engine.ScalarAsync<long>("SELECT max(number) FROM cdc.sync_log WHERE action = 'create'", Ct);
        await bed.Source.ExecuteAsync(
            $"""
            BEGIN;
            INSERT INTO loyalty_card (id, program_id, partner_id, code, points, x_cdc_ref) VALUES (50, 1, 20, 'BORN', 0, '{names[0]}');
            INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount, origin, x_cdc_ref) VALUES (70, 50, 5, 'pos', '{names[
                1
            ]}');
            UPDATE loyalty_card SET points = 5, x_cdc_seq = {number} WHERE id = 50;
            COMMIT
            """,
            Ct
        );
    }

    private static async Task ComparesEqualAsync(PipelineBed bed, long rows)
    {
        var total = (await bed.ReconcileAsync(new RunRequest(RunKind.Full, [bed.Entity("card"), bed.Entity("history")]), Ct)).Total;
        Assert.Equal((rows, 0L), (total.Compared, total.Drift));
    }
}
