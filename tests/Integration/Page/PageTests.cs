using Cdc.Api.Security;
using Cdc.Tests.Integration.Api;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Network;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Microsoft.Playwright;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Page;

/// <summary>The page as people see it, in a real browser over a real pipeline.</summary>
public sealed class PageTests(TestServers servers, Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task Lag_rises_while_nothing_is_applied_and_falls_afterwards()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await using var viewed = await chromium.OpenAsync(shop.Api.Address);
        await viewed.LiveAsync();
        await using (var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct))
        {
            // Readers go on, and what applies cards waits.
            await using var held = await connection.BeginTransactionAsync(Shop.Ct);
            await using (var command = new NpgsqlCommand("LOCK TABLE loyalty_cards IN SHARE MODE", connection))
                await command.ExecuteNonQueryAsync(Shop.Ct);
            await shop.ChangeAsync("UPDATE loyalty_card SET points = points + 1");
            await Eventually.True(
                "lag rises to three seconds",
                async () => await LagAsync(viewed) >= 3,
                () => viewed.Tile("Lag").InnerTextAsync(),
                ct: Shop.Ct
            );
            await viewed.PictureAsync("lag");
        }
        // Odoo rests from here on, and other tests write to the same server.
        await Eventually.True(
            "lag falls below a second",
            async () => await LagAsync(viewed) < 1,
            () => viewed.Tile("Lag").InnerTextAsync(),
            ct: Shop.Ct
        );
        // The chart says the same in words: the highest is what it rose to.
        var told = await viewed.Section("Lag by topic").GetByRole(AriaRole.Img).GetAttributeAsync("aria-label");
        Assert.Matches("all 4 topics: now .*, highest ([3-9]|[1-9][0-9])(\\.[0-9])? s", told);
        await viewed.ShowsAsync(viewed.Tile("Commit to visible"), "p99");
        viewed.AssertNoComplaints();
    }

    [Fact]
    public async Task A_planted_drift_is_shown_with_its_values_and_in_the_map()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 0.01 WHERE id = 7", Shop.Ct);
        await using var viewed = await chromium.OpenAsync(shop.Api.Address);
        await viewed.ShowsAsync(viewed.Section("Consistency"), "never compared");
        var (code, output) = await CdcProcess.RunAsync(["reconcile"], shop.Bed.Environment(), Shop.Ct);
        Assert.True(code == 10, output);
        var consistency = viewed.Section("Consistency");
        await viewed.ShowsAsync(consistency.GetByRole(AriaRole.Row).Filter(new() { HasText = "card 7" }), "7.507.51");
        await viewed.ShowsAsync(consistency.GetByRole(AriaRole.List, new() { Name = "Partitions of card" }), "drift");
        await viewed.ShowsAsync(viewed.Tile("Consistency"), "1 open difference");
        await shop.ChangeAsync("UPDATE loyalty_card SET points = 8 WHERE id = 7");
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        Assert.Equal(0, (await CdcProcess.RunAsync(["reconcile"], shop.Bed.Environment(), Shop.Ct)).ExitCode);
        await viewed.ShowsAsync(consistency, "No open differences.");
        await viewed.ShowsAsync(viewed.Tile("Consistency"), "100 %");
        viewed.AssertNoComplaints();
    }

    [Fact]
    public async Task A_quarantined_row_is_explained_and_retried_from_the_page_by_keyboard_alone()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.Engine.ExecuteAsync("ALTER TABLE loyalty_cards ADD CONSTRAINT few CHECK (points < 1000)", Shop.Ct);
        await shop.ChangeAsync("UPDATE loyalty_card SET points = 5000 WHERE id = 6");
        await using var viewed = await chromium.OpenAsync(shop.Api.Address);
        await viewed.ShowsAsync(viewed.Section("Quarantine"), "23514");
        await viewed.Button("Explain card 6").ClickAsync();
        await viewed.ShowsAsync(viewed.Page.GetByRole(AriaRole.Dialog), "5000");
        await viewed.Page.Keyboard.PressAsync("Escape");

        await shop.Engine.ExecuteAsync("ALTER TABLE loyalty_cards DROP CONSTRAINT few", Shop.Ct);
        await viewed.Button("Retry card 6").FocusAsync();
        await viewed.Page.Keyboard.PressAsync("Enter");
        // The first is Cancel: nothing happens by pressing Enter twice.
        await ViewedPage.FocusIsOnAsync(viewed.Button("Cancel"));
        await viewed.Page.Keyboard.PressAsync("Enter");
        await ViewedPage.FocusIsOnAsync(viewed.Button("Retry card 6"));
        Assert.False(await shop.Engine.ScalarAsync<bool>("SELECT retry_requested FROM cdc.quarantine", Shop.Ct));
        await viewed.Page.Keyboard.PressAsync("Enter");
        await ViewedPage.FocusIsOnAsync(viewed.Button("Cancel"));
        await viewed.Page.Keyboard.PressAsync("Tab");
        await ViewedPage.FocusIsOnAsync(viewed.Button("Retry"));
        await viewed.Page.Keyboard.PressAsync("Enter");
        await viewed.ShowsAsync(viewed.Section("Quarantine"), "Empty");
        Assert.Equal(5000m, await shop.Engine.ScalarAsync<decimal>("SELECT points FROM loyalty_cards WHERE id = 6", Shop.Ct));
        viewed.AssertNoComplaints();
    }

    [Fact]
    public async Task A_flag_is_changed_after_a_confirmation_and_who_did_it_is_shown()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.Api.PostAsync("/feature-flags/rust-engine", """{"enabled": true, "percentage": 10, "companies": [1, 3]}""", Shop.Ct);
        await using var viewed = await chromium.OpenAsync(shop.Api.Address);
        await viewed.Button("Change rust-engine").ClickAsync();
        await viewed.Page.GetByLabel("Percentage of cards").FillAsync("25");
        await viewed.Button("Go on").ClickAsync();
        var dialog = viewed.Page.GetByRole(AriaRole.Dialog);
        await viewed.ShowsAsync(dialog, "on, 10 %, companies 1, 3");
        await viewed.ShowsAsync(dialog, "on, 25 %, companies 1, 3");
        Assert.Equal("10", (await shop.GetAsync("/feature-flags/rust-engine"))["percentage"]);
        await viewed.Button("Change it").ClickAsync();
        await viewed.ShowsAsync(viewed.Section("Feature flags"), "25 % of cards");
        Assert.Equal("25", (await shop.GetAsync("/feature-flags/rust-engine"))["percentage"]);
        await viewed.Button("History of rust-engine").ClickAsync();
        await viewed.ShowsAsync(viewed.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Row).Nth(1), "local");
        viewed.AssertNoComplaints();
    }

    [Fact]
    public async Task With_keys_it_asks_for_one_and_without_the_scope_operate_it_offers_nothing_to_press()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.ChangeAsync("UPDATE loyalty_card SET points = -1 WHERE id = 6");
        await shop.Api.PostAsync("/feature-flags/f", """{"enabled": true}""", Shop.Ct);
        await using var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct);
        var (read, key) = await KeyTable.CreateAsync(connection, "viewer", [Scopes.Read], null, Shop.Ct);
        await Eventually.True("a key is asked for", async () => (await shop.GetAsync("/status")).Status == 401, ct: Shop.Ct);
        await using var viewed = await chromium.OpenAsync(shop.Api.Address);
        await viewed.Page.Locator("dialog input").FillAsync(read);
        await viewed.Button("Use this key").ClickAsync();
        await viewed.LiveAsync();
        await viewed.ShowsAsync(viewed.Section("Quarantine"), "card 6");
        await viewed.ShowsAsync(viewed.Section("Feature flags"), "100 % of cards");
        Assert.Equal(
            0,
            await viewed.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^(Retry|Discard|Explain|Change|New flag)") }).CountAsync()
        );
        Assert.All(viewed.Complaints, c => Assert.Contains("401", c, StringComparison.Ordinal));

        // A key that is revoked ends what it looks at.
        Assert.Equal(1, await KeyTable.RevokeAsync(connection, key.Id, Shop.Ct));
        await viewed.ShowsAsync(viewed.Page.GetByRole(AriaRole.Dialog), "Key of the Api");
    }

    [Fact]
    public async Task It_fits_a_phone_a_wide_screen_and_the_dark()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.ChangeAsync("UPDATE loyalty_card SET points = -1 WHERE id IN (6, 7)");
        await shop.Api.PostAsync("/feature-flags/rust-engine", """{"enabled": true, "percentage": 10, "companies": [1, 3]}""", Shop.Ct);
        await shop.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 0.01 WHERE id = 8", Shop.Ct);
        await CdcProcess.RunAsync(["reconcile"], shop.Bed.Environment(), Shop.Ct);
        foreach (
            var (name, width, scheme) in ((string, int, ColorScheme)[])
                [
                    ("phone", 360, ColorScheme.Light),
                    ("desktop", 1440, ColorScheme.Light),
                    ("dark", 1440, ColorScheme.Dark),
                    ("wide", 2560, ColorScheme.Dark),
                ]
        )
        {
            await using var viewed = await chromium.OpenAsync(
                shop.Api.Address,
                new()
                {
                    ViewportSize = new() { Width = width, Height = 900 },
                    ColorScheme = scheme,
                }
            );
            await viewed.LiveAsync();
            await viewed.ShowsAsync(viewed.Section("Quarantine"), "card 7");
            await viewed.ShowsAsync(viewed.Section("Consistency"), "card 8");
            await viewed.ShowsAsync(viewed.Section("Feature flags"), "rust-engine");
            Assert.True(
                await viewed.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width,
                $"At {width} pixels one has to scroll sideways."
            );
            await viewed.PictureAsync(name);
            viewed.AssertNoComplaints();
        }
    }

    [Fact]
    public async Task Tables_that_share_a_log_have_one_row_which_a_phone_shows_whole()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await using var viewed = await chromium.OpenAsync(
            shop.Api.Address,
            new()
            {
                ViewportSize = new() { Width = 360, Height = 900 },
            }
        );
        await viewed.LiveAsync();
        await viewed.ShowsAsync(viewed.Page.Locator("#lag-rows tr"), "all 4 tables");
        Assert.Equal(1, await viewed.Page.Locator("#lag-rows tr").CountAsync());
        Assert.True(
            await viewed.Page.EvaluateAsync<bool>(
                "(() => { const around = document.querySelector('#lag-rows').closest('.scroll'); return around.scrollWidth <= around.clientWidth; })()"
            ),
            "The table of lag is cut off."
        );
        viewed.AssertNoComplaints();
    }

    [Fact]
    public async Task While_the_engine_is_away_the_page_says_so_and_keeps_what_it_knew()
    {
        var bed = await PipelineBed.CreateAsync(servers, Shop.Ct);
        var network = TcpProxy.Start(new NpgsqlConnectionStringBuilder(bed.Engine.ConnectionString).Port);
        await using var shop = await Shop.OpenAsync(
            bed,
            (b, pipeline) =>
                ApiBed.StartAsync(
                    b,
                    Shop.Ct,
                    engine: new NpgsqlConnectionStringBuilder(b.Engine.ConnectionString)
                    {
                        Host = "127.0.0.1",
                        Port = network.Port,
                    }.ConnectionString,
                    statistics: pipeline.Statistics
                )
        );
        await shop.ChangeAsync("UPDATE loyalty_card SET points = -1 WHERE id = 6");
        await shop.Api.PostAsync("/feature-flags/rust-engine", """{"enabled": true}""", Shop.Ct);
        await using var viewed = await chromium.OpenAsync(shop.Api.Address);
        await viewed.ShowsAsync(viewed.Section("Quarantine"), "card 6");
        await viewed.ShowsAsync(viewed.Section("Feature flags"), "rust-engine");
        await network.DisposeAsync();

        await viewed.ShowsAsync(viewed.Page.Locator("#notices"), "The engine cannot be read.");
        await viewed.ShowsAsync(viewed.Tile("Quarantine"), "the engine cannot be read");
        await viewed.ShowsAsync(viewed.Section("Tables and snapshots"), "as of");
        await viewed.ShowsAsync(viewed.Section("Tables and snapshots"), "history");
        await viewed.ShowsAsync(viewed.Section("Quarantine"), "card 6");
        await viewed.PictureAsync("away");
        // Another viewer comes only now.
        await using var late = await chromium.OpenAsync(shop.Api.Address);
        await late.LiveAsync();
        await late.ShowsAsync(late.Page.Locator("#notices"), "The engine cannot be read.");
        await late.ShowsAsync(late.Section("Feature flags"), "rust-engine");
        foreach (var section in (string[])["Quarantine", "Tables and snapshots", "Consistency"])
            await late.ShowsAsync(late.Section(section), "The engine cannot be read.");
    }

    [Fact]
    public async Task Points_of_two_resolutions_are_drawn_in_one()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await using var viewed = await chromium.OpenAsync(shop.Api.Address);
        const string Even = """
            async points => (await import('/page/resolution.js')).even(points).map(p => `${p.at} ${p.lag} ${p.rows} ${p.p50} ${p.p99}`)
            """;
        Assert.Equal(
            ["1000 1 10 null null", "2000 2 20 0.1 0.2"],
            await viewed.Page.EvaluateAsync<string[]>(Even, new[] { Point(1_000, 1, 10, null), Point(2_000, 2, 20, 0.1) })
        );
        // Two that were taken while no page was open, and three of the last step.
        Assert.Equal(
            ["0 1 10 0.1 0.2", "15000 3 20 null null", "32000 5 30 0.3 0.6"],
            await viewed.Page.EvaluateAsync<string[]>(
                Even,
                new[]
                {
                    Point(0, 1, 10, 0.1),
                    Point(15_000, 3, 20, null),
                    Point(30_000, 5, 20, 0.1),
                    Point(31_000, 4, 40, 0.3),
                    Point(32_000, 0, null, null),
                }
            )
        );

        static object Point(long at, double lag, double? rows, double? p50) =>
            new
            {
                at,
                lag = new[] { lag },
                rows,
                p50,
                p99 = 2 * p50,
            };
    }

    [Fact]
    public async Task Before_the_first_answer_its_numbers_have_their_places()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var page = (await shop.GetAsync("/")).Text;
        foreach (var tile in (string[])["Lag", "Throughput", "Commit to visible", "Consistency", "Quarantine", "Slot"])
            Assert.Contains($"<dt>{tile}</dt><dd>–</dd>", page, StringComparison.Ordinal);
    }

    /// <summary>Seconds; a time in other units is large or small.</summary>
    private static async Task<double> LagAsync(ViewedPage viewed)
    {
        var text = await viewed.Tile("Lag").Locator("dd").First.InnerTextAsync();
        return text.EndsWith(" ms", StringComparison.Ordinal) ? 0
            : text.EndsWith(" s", StringComparison.Ordinal) ? double.Parse(text[..^2], System.Globalization.CultureInfo.InvariantCulture)
            : double.NaN;
    }
}
