using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>A table that cannot be read as it is declared stops, durably and with its reason; all others go on, and once repaired it is read again by itself.</summary>
public sealed class TablesThatStopTests(TestServers servers)
{
    private const string ChangeMoves = "UPDATE loyalty_point_move SET remaining_point = remaining_point + 1";
    private const string ChangeOthers = $"""
        {ChangeMoves};
        INSERT INTO loyalty_point_history (id, loyalty_card_id, points_balance) SELECT n, 1, n FROM generate_series(1000, 1100) n;
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Break, what the reason names, repair. Rows are changed in between, so that the stream meets the new table before the catalog is read.</summary>
    public static TheoryData<string, string, string> Breaks =>
        new()
        {
            {
                "ALTER TABLE loyalty_card DROP COLUMN points",
                "points",
                "ALTER TABLE loyalty_card ADD COLUMN points double precision; UPDATE loyalty_card SET points = id"
            },
            { "ALTER TABLE loyalty_card RENAME COLUMN code TO kode", "code", "ALTER TABLE loyalty_card RENAME COLUMN kode TO code" },
            {
                "ALTER TABLE loyalty_card ALTER COLUMN points TYPE text",
                "points",
                "ALTER TABLE loyalty_card ALTER COLUMN points TYPE double precision USING points::double precision + 1"
            },
            { "ALTER TABLE loyalty_card RENAME TO loyalty_kard", "loyalty_card", "ALTER TABLE loyalty_kard RENAME TO loyalty_card" },
        };

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task Met_in_the_stream_it_stops_alone_and_goes_on_when_repaired(string breaking, string named, string repair)
    {
        await using var bed = await StartedAsync();
        var table = breaking.Contains("TO loyalty_kard", StringComparison.Ordinal) ? "loyalty_kard" : "loyalty_card";
        await bed.Source.ExecuteAsync($"{breaking}; UPDATE {table} SET partner_id = 5; DELETE FROM {table} WHERE id = 2", Ct);
        Assert.Contains(named, await bed.StoppedAsync("card", Ct), StringComparison.Ordinal);
        await bed.Source.ExecuteAsync(ChangeOthers, Ct);
        await bed.OthersEqualAsync("card", Ct);
        OneLineSaysIt(bed);
        await bed.Source.ExecuteAsync($"{repair}; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (900, 1, 'new', 1)", Ct);
        await bed.EqualByItselfAsync(Ct);
    }

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task Without_a_change_of_its_rows_it_stops_and_goes_on_all_the_same(string breaking, string named, string repair)
    {
        await using var bed = await StartedAsync();
        await bed.Source.ExecuteAsync(breaking, Ct);
        Assert.Contains(named, await bed.StoppedAsync("card", Ct), StringComparison.Ordinal);
        OneLineSaysIt(bed);
        await bed.Source.ExecuteAsync(repair, Ct);
        await bed.EqualByItselfAsync(Ct);
    }

    /// <summary>Stream and catalog both notice it.</summary>
    private static void OneLineSaysIt(PipelineBed bed) =>
        Assert.Single(bed.Log.Lines, line => line.Contains("Table public.loyalty_card stops: ", StringComparison.Ordinal));

    [Fact]
    public async Task A_stop_survives_a_restart_and_the_slot_moves_past_it()
    {
        await using var bed = await FilledAsync();
        var running = bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card DROP COLUMN points; UPDATE loyalty_card SET partner_id = 5", Ct);
        await bed.StoppedAsync("card", Ct);
        await bed.Source.ExecuteAsync(ChangeOthers, Ct);
        var position = await bed.Source.ScalarAsync<string>("SELECT pg_current_wal_insert_lsn()::text", Ct);
        await Eventually.True(
            "the slot is confirmed past the stop",
            async () =>
                await bed.Source.ScalarAsync<bool>(
                    $"SELECT confirmed_flush_lsn >= '{position}' FROM pg_replication_slots WHERE slot_name = '{bed.SourceOptions.SlotName}'",
                    Ct
                ),
            ct: Ct
        );
        await running.StopAsync();

        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET partner_id = 6; UPDATE loyalty_point_move SET remaining_point = 0", Ct);
        bed.StartInProcess();
        await bed.OthersEqualAsync("card", Ct);
        Assert.Contains("points", await bed.StoppedAsync("card", Ct), StringComparison.Ordinal);
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards WHERE partner_id IS NOT NULL", Ct));
        await bed.Source.ExecuteAsync(
            "ALTER TABLE loyalty_card ADD COLUMN points double precision DEFAULT 3; DELETE FROM loyalty_card WHERE id > 40",
            Ct
        );
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task Mended_while_nothing_runs_it_goes_on_at_the_next_start()
    {
        await using var bed = await FilledAsync();
        var running = bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card RENAME COLUMN code TO kode; UPDATE loyalty_card SET points = 5", Ct);
        await bed.StoppedAsync("card", Ct);
        await running.StopAsync();
        await bed.Source.ExecuteAsync(
            "ALTER TABLE loyalty_card RENAME COLUMN kode TO code; UPDATE loyalty_card SET points = 6 WHERE id = 1",
            Ct
        );
        bed.StartInProcess();
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task Broken_while_nothing_runs_it_stops_alone_at_the_next_start()
    {
        await using var bed = await FilledAsync();
        var running = bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await running.StopAsync();
        await bed.Source.ExecuteAsync($"ALTER TABLE loyalty_card DROP COLUMN points; DROP TABLE loyalty_point_history; {ChangeMoves}", Ct);
        // A third table has to be published again, though the second one cannot be.
        await bed.Source.ExecuteAsync(
            $"ALTER PUBLICATION {bed.SourceOptions.Publication} DROP TABLE loyalty_program; INSERT INTO loyalty_program (id, name) VALUES (2, 'unseen')",
            Ct
        );
        bed.StartInProcess();
        Assert.Contains("points", await bed.StoppedAsync("card", Ct), StringComparison.Ordinal);
        Assert.Contains("loyalty_point_history", await bed.StoppedAsync("history", Ct), StringComparison.Ordinal);
        await Eventually.True(
            "the program that was not published is there",
            async () => await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM promotion_programs", Ct) == 2,
            ct: Ct
        );
        Assert.Equal(50, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM point_moves WHERE remaining_point = id + 1", Ct));
    }

    [Fact]
    public async Task A_column_that_cannot_be_read_at_the_first_start_stops_its_table_alone_and_says_how_to_declare_it()
    {
        await using var bed = await FilledAsync();
        await bed.Source.ExecuteAsync(
            "ALTER TABLE loyalty_program ALTER COLUMN name TYPE jsonb USING jsonb_build_object('en_US', name)",
            Ct
        );
        bed.StartInProcess();
        var reason = await bed.StoppedAsync("program", Ct);
        Assert.Contains("\"name\": \"jsonb\"", reason, StringComparison.Ordinal);
        Assert.DoesNotContain("ALTER", reason, StringComparison.Ordinal);
        await bed.Source.ExecuteAsync(ChangeOthers, Ct);
        // Its own rows wait to be read for the first time: all that is pending is not there.
        await bed.StreamCaughtUpAsync(Ct);
        var others = new EntitySet([.. bed.Entities.All.Where(e => e.Name != "program")]);
        await Eventually.True(
            "all others are equal",
            async () => (await new EqualityCheck(others).CompareAsync(bed.Source.DataSource, bed.Engine.DataSource, Ct)).AreEqual,
            ct: Ct
        );
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_program ALTER COLUMN name TYPE varchar USING name ->> 'en_US'", Ct);
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task Where_no_table_can_be_read_as_declared_a_first_start_is_refused_before_anything_is_made()
    {
        await using var bed = await FilledAsync();
        foreach (var table in (string[])["loyalty_program", "loyalty_card", "loyalty_point_move", "loyalty_point_history"])
            await bed.Source.ExecuteAsync(
                $"ALTER TABLE {table} RENAME COLUMN {(table == "loyalty_program" ? "name" : "create_date")} TO other",
                Ct
            );
        var refused = await Assert.ThrowsAsync<FindingsException>(() =>
            bed.StartInProcess().Completion.WaitAsync(Eventually.DefaultTimeout, Ct)
        );
        Assert.Equal(4, refused.Findings.Count(f => f is { IsError: true, Code: "column-missing" }));
        Assert.Equal(0, await bed.Source.ScalarAsync<long>("SELECT count(*) FROM pg_publication", Ct));
    }

    /// <summary>Broken and repaired faster than the catalog is read: only the stream has seen it.</summary>
    [Fact]
    public async Task Broken_and_mended_at_once_it_still_ends_equal()
    {
        await using var bed = await StartedAsync();
        // What the next round finds: whatever is left of this one, a stop that is applied, a reading that has ended, or nothing at all.
        Func<Task>[] between =
        [
            () => Task.CompletedTask,
            () => bed.StreamCaughtUpAsync(Ct),
            () => ReadAgainAsync(bed),
            () => bed.EqualByItselfAsync(Ct),
        ];
        for (var round = 0; round < 2 * between.Length; round++)
        {
            await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card RENAME COLUMN code TO kode", Ct);
            await bed.Source.ExecuteAsync($"UPDATE loyalty_card SET points = {round}", Ct);
            await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card RENAME COLUMN kode TO code", Ct);
            await between[round % between.Length]();
        }
        await bed.EqualByItselfAsync(Ct);
    }

    private static async Task ReadAgainAsync(PipelineBed bed)
    {
        var readings = await bed.ReadingsAsync("card", Ct);
        await Eventually.True("the table is read again", async () => await bed.ReadingsAsync("card", Ct) > readings, ct: Ct);
    }

    private async Task<PipelineBed> StartedAsync()
    {
        var bed = await FilledAsync();
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        return bed;
    }

    private async Task<PipelineBed> FilledAsync()
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct);
        return bed;
    }
}
