using System.Globalization;
using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Host;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support.Odoo;
using Cdc.Tests.Support.Odoo.Faults;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Cdc.Workload;
using Xunit;
using static Cdc.Tests.Integration.Reverse.ReverseBed;

namespace Cdc.Tests.Integration.Reverse;

/// <summary>The engine's own changes reach Odoo, each once and in the order of its card, and come back as nothing new.</summary>
public sealed class OwnChangesInOdooTests(TestServers servers)
{
    private const string Run = "ir.actions.server/run";
    private const int Killed = 128 + (int)Signal.Kill;

    [Fact]
    public async Task What_the_engine_changes_is_in_Odoo_and_known_when_it_comes_back()
    {
        await using var bed = await CreateAsync(servers, 3);
        bed.Start();
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 5 WHERE id = 1");
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points - 0.1, partner_id = 1001 WHERE id = 1");
        await bed.ChangeAsync("UPDATE loyalty_cards SET partner_id = NULL, expiration_date = '2027-12-31' WHERE id = 2");
        await bed.AssertSameAsync();
        Assert.Equal(["104.9|1001|", "100||2027-12-31", "100|1000|"], await bed.OdooAsync("points, partner_id, expiration_date"));
        Assert.Equal(["104.90", "100.00", "100.00"], await bed.Bed.Engine.RowsAsync("SELECT points FROM loyalty_cards ORDER BY id", Ct));
        await bed.AssertEachOnceAsync();
        // Odoo's history of it is in the engine as every other row of it.
        Assert.Equal(
            ["1|5.00|Loyalty engine", "1|-0.10|Loyalty engine"],
            await bed.Bed.Engine.RowsAsync("SELECT loyalty_card_id, points_amount, origin FROM point_history ORDER BY id", Ct)
        );
        Assert.Empty(await bed.Bed.Engine.RowsAsync("SELECT * FROM cdc.conflicts", Ct));
        // Nothing of it goes out again.
        Assert.Equal(["3"], await bed.Bed.Engine.RowsAsync("SELECT count(*) FROM cdc.sync_log", Ct));
    }

    [Fact]
    public async Task A_till_of_Odoo_s_and_the_engine_add_to_the_same_card_and_nothing_is_lost_or_counted_twice()
    {
        await using var bed = await CreateAsync(servers, 2);
        bed.Start();
        var tills = Task.Run(
            async () =>
            {
                for (var i = 0; i < 60; i++)
                    await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1 WHERE id = 1", Ct);
            },
            Ct
        );
        for (var i = 0; i < 60; i++)
            await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1000 WHERE id = 1");
        await tills;
        await bed.AssertSameAsync();
        Assert.Equal(["60160", "100"], await bed.OdooAsync());
        await bed.AssertEachOnceAsync();
        Assert.Empty(await bed.Bed.Engine.RowsAsync("SELECT * FROM cdc.conflicts", Ct));
    }

    [Fact]
    public async Task What_arrives_while_own_changes_wait_is_shown_once()
    {
        await using var bed = await CreateAsync(servers, 1);
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 5 WHERE id = 1");
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 20 WHERE id = 1", Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        Assert.Equal(["125.00"], await PointsAsync());
        // The echo of the first comes while a second, and a change back, wait.
        bed.Start();
        await bed.AssertSameAsync();
        await bed.StopAsync();
        Assert.Equal(["125.00"], await PointsAsync());
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 7 WHERE id = 1");
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points - 7 WHERE id = 1");
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1 WHERE id = 1", Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        Assert.Equal(["126.00"], await PointsAsync());
        bed.Start();
        await bed.AssertSameAsync();
        Assert.Equal(["126.00"], await PointsAsync());

        Task<IReadOnlyList<string>> PointsAsync() => bed.Bed.Engine.RowsAsync("SELECT points FROM loyalty_cards", Ct);
    }

    [Theory]
    [InlineData("reverse claimed")]
    [InlineData("reverse answered")]
    [InlineData("reverse recorded")]
    [InlineData("reverse answered:3")]
    public async Task Killed_at_a_named_place_and_started_again_each_change_is_in_Odoo_once(string place)
    {
        await using var bed = await CreateAsync(servers, 4);
        bed.Options = bed.Options with { BatchCards = 2 };
        for (var i = 1; i <= 3; i++)
            await bed.ChangeAsync($"UPDATE loyalty_cards SET points = points + {i}");
        await using var killed = await CdcProcess.StartAsync(["reverse"], bed.Environment(place), Ct);
        // A program that has not begun passes no place, however many changes are made meanwhile.
        await Eventually.True(
            "it sends, or has come by the place already",
            async () => killed.HasExited || await bed.Bed.Engine.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM cdc.reverse_workers)", Ct),
            ct: Ct
        );
        for (var i = 4; !killed.HasExited; i++)
        {
            await bed.ChangeAsync($"UPDATE loyalty_cards SET points = points + {i}");
            Assert.True(i < 500, $"It does not come by {place}: {killed.Tail}");
        }
        Assert.Equal(Killed, await killed.WaitAsync(Ct));
        await using var again = await CdcProcess.StartAsync(["reverse"], bed.Environment(), Ct);
        await bed.AssertSameAsync();
        await bed.AssertEachOnceAsync();
        Assert.Equal(0, await again.StopAsync(Signal.Terminate, Ct));
    }

    [Fact]
    public async Task Two_processes_share_the_cards_and_keep_the_order_of_each()
    {
        await using var bed = await CreateAsync(servers, 30);
        bed.Options = bed.Options with { BatchCards = 3 };
        bed.Start();
        bed.Start();
        for (var i = 1; i <= 10; i++)
            await bed.ChangeAsync($"UPDATE loyalty_cards SET points = points + {i}");
        await bed.AssertSameAsync();
        await bed.AssertEachOnceAsync();
        Assert.Equal(["2"], await bed.Bed.Engine.RowsAsync("SELECT count(*) FROM cdc.reverse_workers WHERE state = 'sending'", Ct));
    }

    [Fact]
    public async Task Whatever_goes_wrong_on_the_way_each_change_is_in_Odoo_once()
    {
        await using var bed = await CreateAsync(servers, 3);
        var faults = bed.Odoo.Faults;
        foreach (
            var fault in (Fault[])
                [Fault.LoseRequest, Fault.LoseAnswer, Fault.DieBeforeCommit, Fault.Twice, Fault.TwiceAtOnce, Fault.Maintenance]
        )
        {
            faults.Plan(Run, fault, skip: 1);
            bed.Start();
            for (var i = 0; i < 5; i++)
                await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1");
            await bed.SettledAsync();
            await bed.StopAsync();
        }
        Assert.Equal(0, faults.Left);
        await bed.AssertSameAsync();
        await bed.AssertEachOnceAsync();
    }

    [Fact]
    public async Task A_refused_change_stops_its_card_alone_until_it_is_sent_again()
    {
        await using var bed = await CreateAsync(servers, 5);
        bed.Odoo.Refuse("loyalty.card", "id", "3", "This card is under review.");
        bed.Start();
        for (var i = 0; i < 3; i++)
            await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1");
        await bed.BecomesAsync("103|103|100|103|103", async () => string.Join('|', await bed.OdooAsync()));
        var status = await CommandAsync(bed, "reverse", "status");
        Assert.Contains("card 3 stopped at", status.Out, StringComparison.Ordinal);
        Assert.Contains("This card is under review.", status.Out, StringComparison.Ordinal);
        Assert.Equal(
            ["pending|This card is under review."],
            await bed.Bed.Engine.RowsAsync(
                "SELECT status, substring(error_message FROM 'This card.*review\\.') FROM sync_log WHERE error_message IS NOT NULL",
                Ct
            )
        );
        bed.Odoo.Accept("loyalty.card", "id", "3");
        Assert.Equal("1 changes will be sent again\n", (await CommandAsync(bed, "reverse", "retry", "3")).Out);
        await bed.AssertSameAsync();
        await bed.AssertEachOnceAsync();
        Assert.Equal("0 changes will be sent again\n", (await CommandAsync(bed, "reverse", "retry", "--all")).Out);
    }

    [Fact]
    public async Task A_change_that_is_given_up_is_nowhere_and_what_waits_behind_it_goes_on()
    {
        await using var bed = await CreateAsync(servers, 2);
        bed.Odoo.Refuse("loyalty.card", "partner_id", "1002", "This contact is blocked.");
        bed.Start();
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1 WHERE id = 1");
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 10, partner_id = 1002 WHERE id = 1");
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 2 WHERE id = 1");
        await StoppedAsync(bed);
        Assert.Equal(9, (await CommandAsync(bed, "reverse", "skip", "1")).ExitCode);
        Assert.Equal(2, (await CommandAsync(bed, "reverse", "skip", "2", "--yes")).ExitCode);
        Assert.Equal(0, (await CommandAsync(bed, "reverse", "skip", "1", "--yes")).ExitCode);
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 4 WHERE id = 1");
        await bed.AssertSameAsync();
        Assert.Equal(["107|1000", "100|1000"], await bed.OdooAsync("points, partner_id"));
        await bed.AssertEachOnceAsync();
        Assert.Equal(
            ["10.00"],
            await bed.Bed.Engine.RowsAsync(
                "SELECT (after ->> 'points')::numeric - (before ->> 'points')::numeric FROM cdc.sync_log WHERE status = 'failed'",
                Ct
            )
        );
    }

    [Fact]
    public async Task A_late_copy_of_a_call_that_comes_before_its_change_is_given_up_counts()
    {
        await using var bed = await CreateAsync(servers, 1);
        var late = new LateCall();
        bed.Odoo.Refuse("loyalty.card", "partner_id", "1002", "This contact is blocked.");
        bed.Odoo.Faults.Plan(Run, Fault.OnlyLater(late), skip: 1);
        bed.Start();
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 10, partner_id = 1002 WHERE id = 1");
        await StoppedAsync(bed);
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 2 WHERE id = 1");
        await bed.StopAsync();
        await CommandAsync(bed, "reverse", "skip", "1", "--yes");
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 4 WHERE id = 1");
        bed.Odoo.Accept("loyalty.card", "partner_id", "1002");
        await late.Made;
        await late.DeliverAsync();
        var numbers = await NumbersAsync();
        Assert.Equal(["110|1002"], await bed.OdooAsync("points, partner_id"));
        bed.Start();
        await bed.AssertSameAsync();
        Assert.Equal(["116|1002"], await bed.OdooAsync("points, partner_id"));
        await bed.AssertEachOnceAsync();
        // A late copy of a call with what waited behind it would bring that under the number that it had.
        Assert.Equal(numbers, await NumbersAsync());

        Task<IReadOnlyList<string>> NumbersAsync() =>
            bed.Bed.Engine.RowsAsync("SELECT uuid, number FROM cdc.sync_log WHERE action = 'update' ORDER BY number", Ct);
    }

    [Fact]
    public async Task A_change_that_is_being_given_up_is_not_sent_again_behind_what_stands_for_it()
    {
        await using var bed = await CreateAsync(servers, 1);
        bed.Odoo.Refuse("loyalty.card", "partner_id", "1002", "This contact is blocked.");
        bed.Start();
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 10, partner_id = 1002 WHERE id = 1");
        await StoppedAsync(bed);
        await bed.StopAsync();
        Assert.Equal(0, (await CommandAsync(bed, "reverse", "skip", "1", "--yes")).ExitCode);
        Assert.Equal("0 changes will be sent again\n", (await CommandAsync(bed, "reverse", "retry", "1")).Out);
        bed.Odoo.Accept("loyalty.card", "partner_id", "1002");
        bed.Start();
        await bed.AssertSameAsync();
        Assert.Equal(["100|1000"], await bed.OdooAsync("points, partner_id"));
        Assert.Equal(
            ["update|failed", "void|synced"],
            await bed.Bed.Engine.RowsAsync("SELECT action, status FROM cdc.sync_log ORDER BY number", Ct)
        );
    }

    [Fact]
    public async Task What_Odoo_answered_and_does_not_have_is_sent_again_with_its_card()
    {
        await using var bed = await CreateAsync(servers, 1);
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1");
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 2");
        // As after calls to another Odoo by mistake.
        await bed.Bed.Engine.ExecuteAsync(
            "UPDATE cdc.sync_log SET answered_at = now() WHERE number = (SELECT min(number) FROM cdc.sync_log)",
            Ct
        );
        bed.Start();
        await StoppedAsync(bed);
        Assert.Equal("2 changes will be sent again\n", (await CommandAsync(bed, "reverse", "retry", "1")).Out);
        await bed.AssertSameAsync();
        Assert.Equal(["103"], await bed.OdooAsync());
        await bed.AssertEachOnceAsync();
    }

    [Fact]
    public async Task Points_that_are_no_number_stop_their_card_alone()
    {
        await using var bed = await CreateAsync(servers, 2);
        bed.Start();
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = 'NaN' WHERE id = 1");
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1 WHERE id = 2");
        await bed.BecomesAsync("100|101", async () => string.Join('|', await bed.OdooAsync()));
        await StoppedAsync(bed);
        Assert.Contains("its points are no number", (await CommandAsync(bed, "reverse", "status")).Out, StringComparison.Ordinal);
    }

    private static Task StoppedAsync(ReverseBed bed) =>
        bed.BecomesAsync(
            "1",
            async () =>
                string.Join(
                    ';',
                    await bed.Bed.Engine.RowsAsync("SELECT count(*) FROM cdc.sync_log WHERE status = 'pending' AND error IS NOT NULL", Ct)
                )
        );

    [Fact]
    public async Task A_number_that_somebody_sets_back_in_Odoo_stops_its_card_alone()
    {
        await using var bed = await CreateAsync(servers, 2);
        bed.Start();
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 5");
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 7");
        await bed.AssertSameAsync();
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET x_cdc_seq = x_cdc_seq - 1 WHERE id = 1", Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1");
        await bed.BecomesAsync(
            "1",
            async () =>
                string.Join(
                    ';',
                    await bed.Bed.Engine.RowsAsync("SELECT card FROM cdc.sync_log WHERE status = 'pending' AND error LIKE '%set back%'", Ct)
                )
        );
        await bed.BecomesAsync("112|113", async () => string.Join('|', await bed.OdooAsync()));
    }

    [Fact]
    public async Task A_key_that_ends_stops_everything_and_another_in_the_file_goes_on()
    {
        await using var bed = await CreateAsync(servers, 1);
        var key = await bed.Odoo.CreateKeyAsync(2, Ct);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, key, Ct);
        bed.UseKeyFile(file);
        bed.Start();
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1");
        await bed.AssertSameAsync();
        await bed.Odoo.ExpireKeyAsync(key, Ct);
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1");
        await bed.BecomesAsync(
            "stopped|odoo-key",
            async () => string.Join(';', await bed.Bed.Engine.RowsAsync("SELECT state, code FROM cdc.reverse_workers", Ct))
        );
        // It stands still, and says so again: who is silent for a minute is no process any more.
        var seen = await bed.Bed.Engine.ScalarAsync<DateTime>("SELECT seen_at FROM cdc.reverse_workers", Ct);
        await bed.BecomesAsync(
            "stopped|t",
            async () => (await bed.Bed.Engine.RowsAsync($"SELECT state, seen_at > '{seen:O}' FROM cdc.reverse_workers", Ct)).Single()
        );
        await File.WriteAllTextAsync(file, await bed.Odoo.CreateKeyAsync(2, Ct), Ct);
        await bed.AssertSameAsync();
        Assert.Equal(["102"], await bed.OdooAsync());
        File.Delete(file);
    }

    [Fact]
    public async Task A_call_is_as_large_as_the_options_say_and_without_a_text_there_is_no_history()
    {
        await using var bed = await CreateAsync(servers, 5);
        bed.Options = bed.Options with { BatchCards = 2, CardChanges = 3, HistoryText = "" };
        for (var i = 0; i < 7; i++)
            await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1");
        bed.Start();
        await bed.AssertSameAsync();
        var calls = bed
            .Odoo.Calls.Where(c => c.Kind == Run)
            .Select(c => JsonDocument.Parse(c.Body).RootElement.GetProperty("context").GetProperty("cdc_cards").EnumerateArray().ToList())
            .ToList();
        Assert.Equal(2, calls.Max(c => c.Count));
        Assert.Equal(3, calls.SelectMany(c => c).Max(card => card.GetProperty("changes").GetArrayLength()));
        Assert.Equal(0L, await bed.Bed.Source.ScalarAsync<long>("SELECT count(*) FROM loyalty_history", Ct));
    }

    [Fact]
    public async Task Cdc_run_sends_too_where_it_is_enabled()
    {
        await using var bed = await CreateAsync(servers, 2);
        await bed.Bed.StopInProcessAsync();
        var settings = bed.Environment();
        settings["CDC__Reverse__Enabled"] = "true";
        await using var run = await CdcProcess.StartAsync(["run"], settings, Ct);
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 3");
        await bed.AssertSameAsync();
        await bed.AssertEachOnceAsync();
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Ct));
        Assert.Equal(0L, await bed.Bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.reverse_workers", Ct));
    }

    [Fact]
    public async Task A_card_that_was_made_in_the_engine_stops_alone()
    {
        await using var bed = await CreateAsync(servers, 1);
        bed.Start();
        await bed.ChangeAsync("INSERT INTO loyalty_cards (program_id, code, points) VALUES (7, 'BORN', 5)");
        await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1");
        await bed.BecomesAsync(
            "create|the card was made in the engine: cdc does not create cards in Odoo",
            async () =>
                string.Join(';', await bed.Bed.Engine.RowsAsync("SELECT action, error FROM cdc.sync_log WHERE error IS NOT NULL", Ct))
        );
        await bed.BecomesAsync("101", async () => string.Join('|', await bed.OdooAsync()));
        Assert.Contains("(1 behind it)", (await CommandAsync(bed, "reverse", "status")).Out, StringComparison.Ordinal);
        // A void in its place could not be sent either.
        var born = await bed.Bed.Engine.ScalarAsync<long>("SELECT max(id) FROM loyalty_cards", Ct);
        var skipped = await CommandAsync(bed, "reverse", "skip", born.ToString(CultureInfo.InvariantCulture), "--yes");
        Assert.Equal((int)FailureKind.Refused, skipped.ExitCode);
        Assert.Equal(0L, await bed.Bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.sync_log WHERE action = 'void'", Ct));
    }

    [Theory]
    [InlineData(OdooVersion.Odoo16)]
    [InlineData(OdooVersion.Odoo18)]
    public async Task The_same_over_JSON_RPC(OdooVersion version)
    {
        await using var bed = await CreateAsync(servers, 3, version);
        bed.Start();
        for (var i = 0; i < 5; i++)
            await bed.ChangeAsync("UPDATE loyalty_cards SET points = points + 1.5");
        await bed.AssertSameAsync();
        Assert.Equal(["107.5", "107.5", "107.5"], await bed.OdooAsync());
    }

    private static Task<CommandRun> CommandAsync(ReverseBed bed, params string[] args) =>
        CommandRun.StartAsync(
            Composition.Connect(),
            bed.Environment().Where(e => e.Value is not null).ToDictionary(e => e.Key, e => e.Value!),
            null,
            new StringWriter { NewLine = "\n" },
            args,
            Ct
        );
}
