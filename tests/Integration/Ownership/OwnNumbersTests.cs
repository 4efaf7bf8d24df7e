using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary>The number in Odoo's row says which own changes it has, and every version of a row is looked at for what Odoo's users wrote over.</summary>
public sealed class OwnNumbersTests(TestServers servers) : IAsyncLifetime
{
    private const string Card = "SELECT points, partner_id, odoo_number, base FROM loyalty_cards WHERE id = 1";
    private const string Entries = "SELECT after, status FROM cdc.sync_log ORDER BY number";
    private const string Conflicts =
        "SELECT kind, field, odoo_value, engine_value, base_value FROM cdc.conflicts ORDER BY lsn, ordinal, field";

    private PipelineBed _bed = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bed = await PipelineBed.CreateAsync(servers, Ct);
        await OwnedEntities.UseAsync(_bed, Ct);
        await _bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, partner_id, code, points) VALUES (1, 1, 1, 'c1', 100)
            """,
            Ct
        );
        _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
        // Numbers that a test can name.
        await _bed.Engine.ExecuteAsync(
            "CREATE OR REPLACE FUNCTION cdc.clock_micros() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT 1::bigint'; UPDATE loyalty_cards SET owner = 'engine'",
            Ct
        );
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task What_comes_back_is_not_counted_twice_and_what_is_not_there_yet_stays_counted()
    {
        await OwnAsync("points = points + 10", "points = points + 3, partner_id = 20", "points = points - 1");
        await OdooAsync("points = points + 10, x_cdc_seq = 1", "points = points + 5");
        Assert.Equal(["""117.00|20|1|{"points": 115.00, "partner_id": 1}"""], await RowsAsync(Card));
        Assert.Equal(["synced", "pending", "pending"], await RowsAsync("SELECT status FROM cdc.sync_log ORDER BY number"));
        Assert.Equal(["t"], await RowsAsync("SELECT synced_at IS NOT NULL FROM cdc.sync_log WHERE status = 'synced'"));
        // Both at once, in one call; and a repetition, of which Odoo does nothing.
        await OdooAsync("points = points + 3 - 1, partner_id = 20, x_cdc_seq = 3", "write_date = now()");
        Assert.Equal(["117.00|20|3|"], await RowsAsync(Card));
        Assert.Equal(["synced", "synced", "synced"], await RowsAsync("SELECT status FROM cdc.sync_log ORDER BY number"));
        Assert.Empty(await RowsAsync(Conflicts));
    }

    [Fact]
    public async Task Own_changes_that_are_even_with_each_other_are_counted_one_by_one_all_the_same()
    {
        await OwnAsync("points = points + 5", "points = points - 5");
        Assert.Equal(["100.00|1||"], await RowsAsync(Card));
        await OdooAsync("points = points + 5, x_cdc_seq = 1");
        Assert.Equal(["""100.00|1|1|{"points": 105.00}"""], await RowsAsync(Card));
        await OdooAsync("points = points - 5, x_cdc_seq = 2");
        Assert.Equal(["100.00|1|2|"], await RowsAsync(Card));
    }

    [Fact]
    public async Task Every_value_that_Odoo_s_users_wrote_over_is_kept_however_many_come_in_one_transaction()
    {
        await OwnAsync("partner_id = 20");
        await _bed.Source.ExecuteAsync(
            """
            BEGIN;
            UPDATE loyalty_card SET partner_id = 7;
            UPDATE loyalty_card SET points = points + 1;
            UPDATE loyalty_card SET partner_id = 20, x_cdc_seq = 1;
            UPDATE loyalty_card SET partner_id = 8;
            UPDATE loyalty_card SET partner_id = 1;
            COMMIT
            """,
            Ct
        );
        await _bed.CaughtUpAsync(Ct);
        Assert.Equal(["changed|partner_id|7|20|1", "changed|partner_id|8|20|20", "changed|partner_id|1|20|8"], await RowsAsync(Conflicts));
        // The owner's value is on its way once more.
        Assert.Equal(["""{"partner_id": 20}|synced""", """{"partner_id": 20}|pending"""], await RowsAsync(Entries));
        Assert.Equal(["2|1"], await RowsAsync("SELECT number, predecessor FROM cdc.sync_log WHERE status = 'pending'"));
        Assert.Equal(["""101.00|20|1|{"partner_id": 1}"""], await RowsAsync(Card));
        await OdooAsync("partner_id = 20, x_cdc_seq = 2");
        Assert.Equal(["101.00|20|2|"], await RowsAsync(Card));
        Assert.Equal(3, (await RowsAsync(Conflicts)).Count);
    }

    [Fact]
    public async Task What_was_written_over_before_the_row_was_deleted_is_kept_too()
    {
        await _bed.Source.ExecuteAsync("BEGIN; UPDATE loyalty_card SET partner_id = 7; DELETE FROM loyalty_card; COMMIT", Ct);
        await _bed.CaughtUpAsync(Ct);
        Assert.Equal(["changed|partner_id", "deleted|*"], await RowsAsync("SELECT kind, field FROM cdc.conflicts ORDER BY ordinal"));
    }

    [Fact]
    public async Task What_Odoo_made_of_a_value_that_it_was_sent_is_not_sent_again()
    {
        await OwnAsync("partner_id = 20");
        await OdooAsync("partner_id = 21, x_cdc_seq = 1");
        Assert.Equal(["altered|partner_id|21|20|1"], await RowsAsync(Conflicts));
        Assert.Equal(["""{"partner_id": 20}|synced"""], await RowsAsync(Entries));
        // An older own value is no echo without its number.
        await OwnAsync("partner_id = 30");
        await OdooAsync("partner_id = 30, x_cdc_seq = 2");
        await OdooAsync("partner_id = 20");
        Assert.Equal("changed|partner_id|20|30|30", (await RowsAsync(Conflicts))[^1]);
    }

    [Fact]
    public async Task A_number_that_goes_back_is_on_record()
    {
        await OwnAsync("points = points + 10", "points = points + 1");
        await OdooAsync("points = points + 11, x_cdc_seq = 2");
        await OdooAsync("x_cdc_seq = 0");
        Assert.Equal(["number|odoo_number|0|2|2"], await RowsAsync(Conflicts));
        // Nothing is counted again for it, and no number is given a second time.
        Assert.Equal(["111.00|1|0|"], await RowsAsync(Card));
        await OwnAsync("points = points + 1");
        Assert.Equal(["3|2"], await RowsAsync("SELECT number, predecessor FROM cdc.sync_log ORDER BY number DESC LIMIT 1"));
    }

    [Fact]
    public async Task A_void_says_that_what_it_stands_for_never_came()
    {
        await OwnAsync("points = points + 10", "points = points + 3", "points = points + 1");
        await OdooAsync("points = points + 10, x_cdc_seq = 1");
        await _bed.Engine.ExecuteAsync(
            "INSERT INTO cdc.sync_log (entity, id, card, number, predecessor, action) VALUES ('card', 1, 1, 4, 1, 'void'); UPDATE loyalty_cards SET own_number = 4",
            Ct
        );
        await OdooAsync("x_cdc_seq = 4");
        Assert.Equal(["""114.00|1|4|{"points": 110.00}"""], await RowsAsync(Card));
        Assert.Equal(
            ["1 update synced", "2 update pending", "3 update pending", "4 void synced"],
            await RowsAsync("SELECT number || ' ' || action || ' ' || status FROM cdc.sync_log ORDER BY number")
        );
    }

    [Fact]
    public async Task What_a_restored_Odoo_has_lost_is_pending_again_and_stays_counted()
    {
        await OwnAsync("points = points + 10", "partner_id = 20", "points = points + 3");
        await OdooAsync("points = points + 10, x_cdc_seq = 1", "points = points + 3, partner_id = 20, x_cdc_seq = 3");
        Assert.Equal(["113.00|20|3|"], await RowsAsync(Card));
        await _bed.StopInProcessAsync();
        await _bed.Source.ExecuteAsync(
            $"SELECT pg_drop_replication_slot('{_bed.SourceOptions.SlotName}'); UPDATE loyalty_card SET points = 110, partner_id = 1, x_cdc_seq = 1",
            Ct
        );
        _bed.SourceOptions = _bed.SourceOptions with { AcceptGaps = true };
        _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
        Assert.Equal(["""113.00|20|1|{"points": 110.00, "partner_id": 1}"""], await RowsAsync(Card));
        Assert.Equal(
            ["1 synced", "2 pending", "3 pending"],
            await RowsAsync("SELECT number || ' ' || status FROM cdc.sync_log WHERE number < 4 ORDER BY number")
        );
        await OdooAsync("points = points + 3, partner_id = 20, x_cdc_seq = 3");
        Assert.Equal(["113.00|20|3|"], await RowsAsync(Card));
        Assert.Equal(["0"], await RowsAsync("SELECT count(*) FROM cdc.sync_log WHERE status = 'pending'"));
    }

    private Task<IReadOnlyList<string>> RowsAsync(string sql) => _bed.Engine.RowsAsync(sql, Ct);

    /// <summary>Each in a transaction of its own.</summary>
    private async Task OwnAsync(params string[] changes)
    {
        foreach (var change in changes)
            await _bed.Engine.ExecuteAsync($"UPDATE loyalty_cards SET {change} WHERE id = 1", Ct);
    }

    private async Task OdooAsync(params string[] changes)
    {
        foreach (var change in changes)
            await _bed.Source.ExecuteAsync($"UPDATE loyalty_card SET {change}", Ct);
        await _bed.CaughtUpAsync(Ct);
    }
}
