using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>A row that breaks a rule goes to quarantine under the rule's name, and every other row is applied: by stream, load and re-read alike.</summary>
public sealed class RowsOfTheirOwnFaultTests(TestServers servers)
{
    /// <summary>Foreign keys are off, so that references to 0 can be made as a raw import makes them.</summary>
    private const string Rows = """
        BEGIN;
        SET LOCAL session_replication_role = replica;
        INSERT INTO loyalty_program (id, name) VALUES (1, 'p');
        INSERT INTO loyalty_card (id, program_id, partner_id, code, points) VALUES
            (1, NULL, 1, 'c1', 1), (2, 1, 1, NULL, 1), (3, 1, 1, 'c3', NULL), (4, 1, 1, '', 1), (5, 1, 1, E' \t\r\n\f\x0B ', 1),
            (6, 0, 1, 'c6', 1), (7, 1, 0, 'c7', 1), (8, 1, 1, 'c8', -1), (9, 1, 1, 'c9', 'NaN'), (10, 1, 1, 'c10', 'Infinity'),
            (11, 1, 1, 'c11', '-Infinity'), (12, 1, 1, 'c12', 1e300), (13, 1, 1, repeat('x', 513), 1),
            (101, 1, NULL, 'gift', 1), (102, 1, 1, chr(160), 1), (103, 1, 1, E'\t trim me \n', 1), (104, 1, 1, repeat('x', 512), 1),
            (105, 1, 1, 'c105', -0.004), (106, 1, 1, 'c106', 999999999999999), (107, 1, 1, 'c107', 0.005);
        INSERT INTO loyalty_point_move (id, loyalty_card_id, initial_point, remaining_point, state) VALUES
            (1, NULL, 1, 1, 'active'), (2, 0, 1, 1, 'active'), (3, 101, 'NaN', 1, 'active'), (4, 101, 1, 'Infinity', 'active'),
            (5, 101, 1e300, 1, 'active'), (6, 101, 1, 1, 'lost'), (7, 101, 1, 1, repeat('active', 3)),
            (101, 101, NULL, NULL, NULL), (102, 101, -1, -1, 'expired');
        INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount, points_balance) VALUES
            (1, NULL, 1, 1), (2, 0, 1, 1), (3, 101, 'NaN', 1), (4, 101, 1, '-Infinity'), (5, 101, 1, -1), (6, 101, -1e300, 1),
            (101, 101, -5, 0), (102, 101, NULL, NULL);
        COMMIT;
        """;

    private static readonly string[] Reasons =
    [
        "card|1|program-id-null",
        "card|2|code-null",
        "card|4|code-empty",
        "card|5|code-empty",
        "card|6|program-zero",
        "card|7|partner-zero",
        "card|8|points-negative",
        "card|9|points-not-finite",
        "card|10|points-not-finite",
        "card|11|points-not-finite",
        "card|12|points-too-large",
        "card|13|code-too-long",
        "history|1|loyalty-card-id-null",
        "history|2|card-zero",
        "history|3|points-amount-not-finite",
        "history|4|points-balance-not-finite",
        "history|5|points-balance-negative",
        "history|6|points-amount-too-large",
        "move|1|loyalty-card-id-null",
        "move|2|card-zero",
        "move|3|initial-point-not-finite",
        "move|4|remaining-point-not-finite",
        "move|5|initial-point-too-large",
        "move|6|state-unknown",
        "move|7|state-unknown",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_that_breaks_a_rule_is_held_with_its_reason_and_all_others_are_applied(bool loaded)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        if (loaded)
            await bed.Source.ExecuteAsync(Rows, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        if (!loaded)
            await bed.Source.ExecuteAsync(Rows, Ct);
        await bed.CaughtUpAsync(Ct);

        Assert.Equal(Reasons, await bed.EntriesAsync(Ct));
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(
            ["3|C3|0.00", "101|GIFT|1.00", "102|\u00a0|1.00", "103|TRIM ME|1.00", "105|C105|0.00"],
            await bed.Engine.RowsAsync("SELECT id, code, points FROM loyalty_cards WHERE id IN (3, 101, 102, 103, 105) ORDER BY id", Ct)
        );
    }

    [Fact]
    public async Task What_goes_to_quarantine_is_logged_by_id_and_reason_and_never_by_value()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        // One transaction, and so one batch.
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (id, name) VALUES (1, 'p');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'secret ' || i, -1 FROM generate_series(1, 12) i;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        var warnings = bed.Log.Lines.Where(l => l.Contains("quarantine", StringComparison.Ordinal)).ToList();
        Assert.All(warnings, w => Assert.Contains(" Warning ", w, StringComparison.Ordinal));
        Assert.All(
            Enumerable.Range(1, 10),
            id =>
                Assert.Single(warnings, w => w.Contains($"Row {id} of card cannot be applied (points-negative)", StringComparison.Ordinal))
        );
        Assert.Single(warnings, w => w.Contains("2 more rows of card", StringComparison.Ordinal));
        Assert.Equal(11, warnings.Count);
        Assert.DoesNotContain("secret", string.Concat(bed.Log.Lines), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_range_read_again_keeps_every_entry_and_every_row()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(Rows, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        foreach (var entity in new[] { "card", "move", "history" })
            await bed.CommandAsync(Ct, "snapshot", entity, "--wait");
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(Reasons, await bed.EntriesAsync(Ct));
        await bed.AssertEqualAsync(Ct);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Mended_in_Odoo_a_row_is_applied_by_itself_and_its_entry_closes(bool loaded)
    {
        await using var bed = await StartedAsync(loaded);
        await bed.Source.ExecuteAsync(
            """
            UPDATE loyalty_card SET program_id = 1, partner_id = NULL, code = 'mended ' || id, points = id WHERE id < 100;
            UPDATE loyalty_point_move SET loyalty_card_id = 101, initial_point = 1, remaining_point = 1, state = 'active' WHERE id < 100;
            UPDATE loyalty_point_history SET loyalty_card_id = 101, points_amount = 1, points_balance = 1 WHERE id < 100;
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        Assert.Empty(await bed.EntriesAsync(Ct));
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(
            "MENDED 12|12.00",
            Assert.Single(await bed.Engine.RowsAsync("SELECT code, points FROM loyalty_cards WHERE id = 12", Ct))
        );
    }

    [Theory]
    [InlineData("DELETE FROM loyalty_point_history; DELETE FROM loyalty_point_move; DELETE FROM loyalty_card")]
    [InlineData("TRUNCATE loyalty_card CASCADE")]
    [InlineData("TRUNCATE loyalty_card CASCADE; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (8, 1, 'again', 1)")]
    public async Task Removed_in_Odoo_a_row_closes_its_entry(string removal)
    {
        await using var bed = await StartedAsync(loaded: false);
        await bed.Source.ExecuteAsync(removal, Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Empty(await bed.EntriesAsync(Ct));
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_held_row_keeps_its_older_version_in_the_engine_and_is_named()
    {
        await using var bed = await StartedAsync(loaded: false);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 'NaN' WHERE id = 101", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(
            "1.00|0",
            Assert.Single(await bed.Engine.RowsAsync("SELECT points, sync_version FROM loyalty_cards WHERE id = 101", Ct))
        );
        var entry = Assert.Single(
            (await bed.JsonAsync(Ct, "quarantine", "list", "card")).GetProperty("entries").EnumerateArray(),
            e => e.GetProperty("key").GetInt64() == 101
        );
        Assert.Equal("points-not-finite", entry.GetProperty("reason").GetString());
        Assert.Contains("NaN", await bed.CommandAsync(Ct, "quarantine", "show", "card", "101"), StringComparison.Ordinal);
        Assert.Equal(13, (await bed.StatusAsync("card", Ct)).GetProperty("quarantine").GetInt64());

        await bed.Source.ExecuteAsync("DELETE FROM loyalty_card WHERE id = 101", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.DoesNotContain(await bed.EntriesAsync(Ct), e => e.StartsWith("card|101|", StringComparison.Ordinal));
        await bed.AssertEqualAsync(Ct);
    }

    private async Task<PipelineBed> StartedAsync(bool loaded)
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        if (loaded)
            await bed.Source.ExecuteAsync(Rows, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        if (!loaded)
            await bed.Source.ExecuteAsync(Rows, Ct);
        await bed.CaughtUpAsync(Ct);
        return bed;
    }
}
