using Cdc.Host;
using Cdc.Host.Terminals;
using Cdc.Reconcile.Alerts;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Alerts as the comparison beside the pipeline fires them, and as a person arms them again.</summary>
public sealed class AlertsTests(TestServers servers)
{
    [Fact]
    public async Task Without_drift_nothing_fires()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 2000);
        await bed.MinuteAsync(5);
        Assert.Equal("", await bed.FiredAsync());
    }

    [Fact]
    public async Task Drift_warns_at_once_alerts_when_it_stays_and_stays_fired_until_it_is_armed_again()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 2000);
        // More than a thousandth, less than a two-hundredth.
        await bed.DamageAsync(5);
        await bed.MinuteAsync();
        Assert.Equal("warning", await bed.FiredAsync());
        await bed.MinuteAsync(2);
        Assert.Equal("warning alert", await bed.FiredAsync());
        Assert.Contains(bed.Log.Lines, l => l.Contains("Error alert: 0.25 % of ", StringComparison.Ordinal));

        await bed.CorrectAsync(5);
        await bed.MinuteAsync(10);
        Assert.Equal(
            0,
            await bed.Engine.ScalarAsync<long>("SELECT drift::bigint FROM cdc.reconcile_standing WHERE entity = 'card'", ComparisonBed.Ct)
        );
        Assert.Equal("warning alert", await bed.FiredAsync());

        Assert.Equal("armed again: warning, alert", await CommandAsync(bed, "alerts", "rearm"));
        Assert.Equal("none of them had fired", await CommandAsync(bed, "alerts", "rearm"));
        await bed.MinuteAsync(5);
        Assert.Equal("", await bed.FiredAsync());
        await bed.DamageAsync(5);
        // What is changed by hand only a comparison of everything finds.
        bed.Time.Advance(TimeSpan.FromDays(1));
        await bed.MinuteAsync(3);
        Assert.Equal("warning alert", await bed.FiredAsync());
        Assert.Equal(
            ["fired|4", "armed|2"],
            await bed.Engine.RowsAsync("SELECT change, count(*) FROM cdc.alert_changes GROUP BY 1 ORDER BY 2 DESC", ComparisonBed.Ct)
        );
    }

    [Fact]
    public async Task What_was_compared_before_it_was_armed_does_not_fire_it_again()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 2000);
        await bed.DamageAsync(5);
        await bed.MinuteAsync(3);
        await using (var connection = await bed.Engine.DataSource.OpenConnectionAsync(ComparisonBed.Ct))
            Assert.Equal(["alert"], await AlertTable.ArmAsync(connection, ["alert"], bed.Time.GetUtcNow(), ComparisonBed.Ct));
        await bed.MinuteAsync();
        Assert.Equal("warning", await bed.FiredAsync());
        await bed.MinuteAsync(2);
        Assert.Equal("warning alert", await bed.FiredAsync());
    }

    [Fact]
    public async Task A_comparison_that_says_nothing_pauses_them()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 2000);
        await bed.DamageAsync(5);
        await bed.MinuteAsync();
        // A range that is loading: nothing differs in what is left.
        await bed.Engine.ExecuteAsync(
            "INSERT INTO cdc.chunks (entity, generation, kind, from_key, to_key, state) VALUES ('card', 1, 'load', 1, 6, 'pending')",
            ComparisonBed.Ct
        );
        await bed.MinuteAsync(5);
        Assert.Equal("inconclusive", (await bed.RunsAsync())[^1].Split(' ')[^1]);
        Assert.Equal("warning", await bed.FiredAsync());
        Assert.True(
            await bed.Engine.ScalarAsync<bool>(
                "SELECT entity IS NULL FROM cdc.reconcile_samples ORDER BY id DESC LIMIT 1",
                ComparisonBed.Ct
            )
        );
        await bed.Engine.ExecuteAsync("UPDATE cdc.chunks SET state = 'done'", ComparisonBed.Ct);
        await bed.MinuteAsync();
        Assert.Equal("warning alert", await bed.FiredAsync());
    }

    [Fact]
    public async Task Settings_move_the_thresholds_the_windows_and_the_least_numbers()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 2000);
        bed.Alerts = new AlertOptions
        {
            WarnAbovePercent = 1,
            AlertAbovePercent = 5,
            RemediateAbovePercent = 6,
            PageBelowPercent = 90,
            MinSamples = 1,
        };
        await bed.DamageAsync(20);
        await bed.MinuteAsync(3);
        Assert.Equal("", await bed.FiredAsync());
        bed.Alerts = bed.Alerts with
        {
            WarnAbovePercent = 0.9m,
            AlertAbovePercent = 0.9m,
            RemediateAbovePercent = 0.9m,
            PageBelowPercent = 99.1m,
            MinRows = 2001,
            ShortWindow = TimeSpan.FromSeconds(1),
        };
        await bed.MinuteAsync();
        // Of a single entity all is one: the least number of rows is about its share alone.
        Assert.Equal("warning alert remediation page", await bed.FiredAsync());
    }

    [Fact]
    public async Task Nothing_is_repaired_unasked_but_alert_run_and_log_say_what_would_be()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 2000);
        bed.Alerts = new() { MinSamples = 1 };
        await bed.DamageAsync(99);
        await bed.Engine.ExecuteAsync(
            "INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (9001, 9001, 1, 'x', 0)",
            ComparisonBed.Ct
        );
        var damaged = await bed.Engine.ScalarAsync<decimal>("SELECT sum(points) FROM loyalty_cards", ComparisonBed.Ct);
        await bed.MinuteAsync();
        Assert.Contains("remediation", await bed.FiredAsync(), StringComparison.Ordinal);
        const string Proposal = "'cdc reconcile --repair' would write Odoo's values over 99 rows of card, remove 1 rows of card.";
        Assert.Contains(
            Proposal,
            await bed.Engine.ScalarAsync<string>("SELECT message FROM cdc.alerts WHERE name = 'remediation'", ComparisonBed.Ct),
            StringComparison.Ordinal
        );
        Assert.Contains(
            Proposal,
            await bed.Engine.ScalarAsync<string>("SELECT detail FROM cdc.reconcile_runs WHERE id = 1", ComparisonBed.Ct),
            StringComparison.Ordinal
        );
        Assert.Contains(bed.Log.Lines, l => l.Contains(Proposal, StringComparison.Ordinal));
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.requests", ComparisonBed.Ct));
        Assert.Equal(damaged, await bed.Engine.ScalarAsync<decimal>("SELECT sum(points) FROM loyalty_cards", ComparisonBed.Ct));
    }

    [Fact]
    public async Task The_list_says_why()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 100);
        await bed.DamageAsync(1);
        await bed.MinuteAsync();
        Assert.Contains("1 % of ", await CommandAsync(bed, "alerts", "list"), StringComparison.Ordinal);
        Assert.Contains("\"state\": \"fired\"", await CommandAsync(bed, "alerts", "list", "--json"), StringComparison.Ordinal);
        Assert.Equal("", await CommandAsync(bed, "alerts", "rearm", "bird"));
    }

    private static async Task<string> CommandAsync(ContinuousBed bed, params string[] args)
    {
        using var output = new StringWriter();
        var terminal = new Terminal
        {
            Out = output,
            Error = TextWriter.Null,
            In = TextReader.Null,
            OutIsTerminal = false,
            ErrorIsTerminal = false,
            CanAsk = false,
        };
        var environment = new Dictionary<string, string> { ["CDC__Engine__ConnectionString"] = bed.Engine.ConnectionString };
        await CommandLine.RunAsync(args, new CommandHost(Composition.Connect(), terminal, environment, bed.Time), null, ComparisonBed.Ct);
        return output.ToString().Trim();
    }
}
