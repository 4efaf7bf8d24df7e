using Cdc.Api.Security;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

public sealed class ReconcileTests(TestServers servers)
{
    [Fact]
    public async Task Runs_and_drift_are_served_and_values_only_to_who_may_operate()
    {
        await using var shop = await Shop.OpenAsync(servers);
        Assert.Equal(
            (404, "not-found"),
            ((await shop.GetAsync("/reconcile/latest")).Status, (await shop.GetAsync("/reconcile/latest")).Problem)
        );
        await shop.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 0.01 WHERE id IN (3, 4, 5)", Shop.Ct);
        Assert.Equal(10, (await CdcProcess.RunAsync(["reconcile", "card"], shop.Bed.Environment(), Shop.Ct)).ExitCode);
        await shop.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points - 0.01 WHERE id = 3", Shop.Ct);
        Assert.Equal(10, (await CdcProcess.RunAsync(["reconcile", "card"], shop.Bed.Environment(), Shop.Ct)).ExitCode);

        var latest = await shop.GetAsync("/reconcile/latest");
        Assert.Equal(
            (2, 0.9),
            (latest.Json.GetProperty("run").GetProperty("id").GetInt64(), latest.Json.GetProperty("total").GetProperty("rate").GetDouble())
        );
        Assert.Equal("4.51", latest.Json.GetProperty("drift")[0].GetProperty("engineValue").GetString());
        Assert.Equal(3, (await shop.GetAsync("/reconcile/runs/1")).Json.GetProperty("total").GetProperty("drift").GetInt64());
        foreach (var none in (string[])["/reconcile/runs/99", "/reconcile/runs/x"])
            Assert.Equal(404, (await shop.GetAsync(none)).Status);

        Assert.Equal([5, 4], await KeysAsync("/reconcile/drift?limit=1"));
        Assert.Equal([5, 4, 3], await KeysAsync("/reconcile/drift?limit=2&resolved=true"));
        Assert.Empty(await KeysAsync("/reconcile/drift?entity=history"));
        foreach (
            var (query, word) in ((string, string)[])
                [
                    ("entity=bird", "invalid-entity"),
                    ("limit=0", "invalid-limit"),
                    ("cursor=x", "invalid-cursor"),
                    ("resolved=maybe", "invalid-resolved"),
                ]
        )
            Assert.Equal(
                (422, word),
                ((await shop.GetAsync("/reconcile/drift?" + query)).Status, (await shop.GetAsync("/reconcile/drift?" + query)).Problem)
            );

        await using var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct);
        var (read, _) = await KeyTable.CreateAsync(connection, "reader", [Scopes.Read], null, Shop.Ct);
        var bearer = ("Authorization", "Bearer " + read);
        await Eventually.True(
            "the key is known",
            async () =>
                (await shop.GetAsync("/reconcile/drift", bearer)).Status == 200 && (await shop.GetAsync("/reconcile/drift")).Status == 401,
            ct: Shop.Ct
        );
        foreach (var path in (string[])["/reconcile/drift", "/reconcile/latest", "/reconcile/runs/1"])
            Assert.DoesNotContain("4.51", (await shop.GetAsync(path, bearer)).Text, StringComparison.Ordinal);
        Assert.Equal(
            ("""["read"]""", 403),
            (
                (await shop.GetAsync("/caller", bearer)).Json.GetProperty("scopes").ToString(),
                (await shop.GetAsync("/quarantine/card/1", bearer)).Status
            )
        );

        async Task<List<long>> KeysAsync(string path)
        {
            var keys = new List<long>();
            for (string? cursor = ""; cursor is not null; )
            {
                var page = await shop.GetAsync(path + cursor);
                Assert.True(page.Status == 200, page.Text);
                keys.AddRange(page.Json.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("key").GetInt64()));
                cursor = page["nextCursor"] is { } next ? "&cursor=" + next : null;
            }
            return keys;
        }
    }
}
