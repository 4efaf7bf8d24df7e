using System.Diagnostics;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

public sealed class FlagTests(TestServers servers)
{
    [Fact]
    public async Task The_rollback_script_works_as_it_is_written_without_a_key_and_with_one()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.Api.PostAsync("/feature-flags/rust-engine", """{"enabled": true, "percentage": 25, "companies": [2, 1, 2]}""", Shop.Ct);
        Assert.Contains(
            "\"enabled\":false",
            await CurlAsync("-X", "POST", $"{shop.Api.Address}feature-flags/rust-engine", "-d", "{\"enabled\": false}"),
            StringComparison.Ordinal
        );
        Assert.Contains("\"status\":", await CurlAsync($"{shop.Api.Address}health"), StringComparison.Ordinal);
        var flag = await shop.GetAsync("/feature-flags/rust-engine");
        Assert.Equal(("False", "25", "[1,2]"), (flag["enabled"], flag["percentage"], flag["companies"]));

        await using (var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct))
        {
            var (key, _) = await Cdc.Api.Security.KeyTable.CreateAsync(connection, "on-call", ["operate"], null, Shop.Ct);
            await Eventually.True(
                "a key is asked for",
                async () => (await shop.GetAsync("/feature-flags/rust-engine")).Status == 401,
                ct: Shop.Ct
            );
            Assert.Contains(
                "key-needed",
                await CurlAsync("-X", "POST", $"{shop.Api.Address}feature-flags/rust-engine", "-d", "{\"enabled\": true}"),
                StringComparison.Ordinal
            );
            Assert.Contains(
                "\"enabled\":true",
                await CurlAsync(
                    "-X",
                    "POST",
                    $"{shop.Api.Address}feature-flags/rust-engine",
                    "-H",
                    "X-Api-Key: " + key,
                    "-d",
                    "{\"enabled\": true}"
                ),
                StringComparison.Ordinal
            );
            Assert.Contains("\"status\":", await CurlAsync($"{shop.Api.Address}health"), StringComparison.Ordinal);
        }
        var changes = await shop.Engine.RowsAsync(
            "SELECT changed_by LIKE 'on-call (%)', before ->> 'enabled', after ->> 'enabled', address FROM cdc.feature_flag_changes ORDER BY id",
            Shop.Ct
        );
        Assert.Equal(["f||true|127.0.0.1", "f|true|false|127.0.0.1", "t|false|true|127.0.0.1"], changes);
    }

    [Fact]
    public async Task A_percentage_is_sticky_by_card_and_raising_it_only_adds_cards()
    {
        await using var shop = await Shop.OpenAsync(servers);
        HashSet<int> before = [];
        foreach (var percentage in (int[])[0, 30, 70, 100])
        {
            await shop.Api.PostAsync("/feature-flags/ramp", $"{{\"enabled\": true, \"percentage\": {percentage}}}", Shop.Ct);
            var on = await OnAsync(shop, "ramp", "");
            Assert.True(before.IsSubsetOf(on));
            Assert.Equal(on, await OnAsync(shop, "ramp", ""));
            Assert.InRange(on.Count, percentage * 2 - 35, percentage * 2 + 35);
            before = on;
        }
        Assert.Equal(200, before.Count);
        await shop.Api.PostAsync("/feature-flags/ramp", """{"companies": [3]}""", Shop.Ct);
        Assert.Equal(
            (200, 0, 0),
            (
                (await OnAsync(shop, "ramp", "&company=3")).Count,
                (await OnAsync(shop, "ramp", "&company=4")).Count,
                (await OnAsync(shop, "ramp", "")).Count
            )
        );
        await shop.Api.PostAsync("/feature-flags/ramp", """{"enabled": false}""", Shop.Ct);
        Assert.Empty(await OnAsync(shop, "ramp", "&company=3"));
    }

    [Fact]
    public async Task A_change_made_elsewhere_is_heard()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await using var other = await ApiBed.StartAsync(shop.Bed, Shop.Ct);
        Assert.Equal(404, (await other.GetAsync("/feature-flags/f", Shop.Ct)).Status);
        await shop.Api.PostAsync("/feature-flags/f", """{"enabled": true}""", Shop.Ct);
        await Eventually.True(
            "the other one knows it",
            async () => (await other.GetAsync("/feature-flags/f", Shop.Ct)).Status == 200,
            ct: Shop.Ct
        );
    }

    [Fact]
    public async Task What_cannot_be_meant_is_refused_and_changes_nothing()
    {
        await using var shop = await Shop.OpenAsync(servers);
        string[] bodies =
        [
            "",
            "{}",
            "null",
            "[]",
            "enabled=false",
            "{\"enabled\": \"no\"}",
            "{\"enabled\": true",
            "{\"percentage\": 101}",
            "{\"percentage\": -1}",
            "{\"enabled\": true, \"percent\": 5}",
            "{\"companies\": [\"x\"]}",
        ];
        foreach (var body in bodies)
            Assert.Equal((422, "invalid-body"), await PostAsync("f", body));
        foreach (var name in (string[])["F", "f%27--", "-f", new string('f', 65)])
            Assert.Equal((422, "invalid-flag-name"), await PostAsync(name, "{\"enabled\": true}"));
        Assert.Empty(await shop.Engine.RowsAsync("SELECT name FROM cdc.feature_flags", Shop.Ct));

        async Task<(int, string?)> PostAsync(string name, string body)
        {
            var answer = await shop.Api.PostAsync("/feature-flags/" + name, body, Shop.Ct);
            return (answer.Status, answer.Problem);
        }
    }

    private static async Task<HashSet<int>> OnAsync(Shop shop, string flag, string more)
    {
        var on = new HashSet<int>();
        for (var card = 1; card <= 200; card++)
        {
            var answer = await shop.GetAsync($"/feature-flags/{flag}?card={card}{more}");
            Assert.True(answer.Status == 200, $"{answer}{string.Join('\n', shop.Bed.Log.Lines.TakeLast(3))}");
            if (answer["on"] == "True")
                on.Add(card);
        }
        return on;
    }

    private static async Task<string> CurlAsync(params string[] arguments)
    {
        using var curl = Process.Start(
            new ProcessStartInfo("curl", ["-s", "--noproxy", "*", .. arguments]) { RedirectStandardOutput = true }
        )!;
        var output = await curl.StandardOutput.ReadToEndAsync(Shop.Ct);
        await curl.WaitForExitAsync(Shop.Ct);
        Assert.Equal(0, curl.ExitCode);
        return output;
    }
}
