using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Cdc.Tests.Integration.Api;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Page;

/// <summary>The page's events, by another client than the page.</summary>
public sealed class LiveTests(TestServers servers)
{
    [Fact]
    public async Task Who_comes_back_with_the_last_id_gets_what_followed_once_and_in_order()
    {
        await using var shop = await Shop.OpenAsync(servers);
        List<long> seen = [];
        string? lastId = null;
        for (var visit = 0; visit < 3; visit++)
        {
            await foreach (var (id, tick) in TicksAsync(shop, lastId).Take(2))
            {
                Assert.Equal(lastId is null, tick.GetProperty("reset").GetBoolean());
                seen.AddRange(tick.GetProperty("points").EnumerateArray().Select(p => p.GetProperty("at").GetInt64()));
                Assert.Equal("streaming", tick.GetProperty("state").GetProperty("status").GetProperty("state").GetString());
                lastId = id;
            }
        }
        // No other page is open: all points there are, are these.
        var all = await TicksAsync(shop, "another process-7").FirstAsync(Shop.Ct);
        Assert.True(all.Tick.GetProperty("reset").GetBoolean());
        Assert.Equal(seen, all.Tick.GetProperty("points").EnumerateArray().Select(p => p.GetProperty("at").GetInt64()).Take(seen.Count));
    }

    [Fact]
    public async Task A_viewer_that_is_gone_is_forgotten_and_a_server_that_stops_waits_for_none()
    {
        var shop = await Shop.OpenAsync(servers);
        await using (shop)
        {
            await TicksAsync(shop, null).FirstAsync(Shop.Ct);
            // The second one stays while the server stops.
            var staying = TicksAsync(shop, null).GetAsyncEnumerator(Shop.Ct);
            Assert.True(await staying.MoveNextAsync());
            await Eventually.True(
                "only the second is counted",
                async () => await ViewersAsync(shop) == "1",
                () => ViewersAsync(shop),
                ct: Shop.Ct
            );
            Assert.DoesNotContain("route=\"/live\"", (await shop.GetAsync("/metrics")).Text, StringComparison.Ordinal);
            await shop.Api.StopAsync();
            await Eventually.True("the stream has ended", async () => !await staying.MoveNextAsync(), ct: Shop.Ct);
        }
    }

    [Fact]
    public async Task The_page_is_files_of_its_own_with_a_policy_that_allows_nothing_else()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var page = await shop.GetAsync("/");
        Assert.Equal((200, "text/html; charset=utf-8"), (page.Status, page.Headers["Content-Type"]));
        Assert.Contains("script-src 'self'", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        foreach (
            var file in System
                .Text.RegularExpressions.Regex.Matches(page.Text, "(?:src|href)=\"(/[^\"]+)\"")
                .Select(m => m.Groups[1].Value)
                .Distinct()
        )
            Assert.Equal(200, (await shop.GetAsync(file)).Status);
        Assert.Equal(
            304,
            (await shop.GetAsync("/page/main.js", ("If-None-Match", (await shop.GetAsync("/page/main.js")).Headers["ETag"]))).Status
        );
        foreach (var none in (string[])["/page/", "/page/index.html", "/page/..%2fcdc.json", "/page/nothing.js"])
            Assert.Equal(404, (await shop.GetAsync(none)).Status);
    }

    private static async Task<string> ViewersAsync(Shop shop) =>
        (await shop.GetAsync("/metrics"))
            .Text.Split('\n')
            .Single(l => l.StartsWith("cdc_page_viewers ", StringComparison.Ordinal))
            .Split(' ')[1];

    private static async IAsyncEnumerable<(string Id, JsonElement Tick)> TicksAsync(Shop shop, string? lastId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/live");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastId is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
        using var response = await shop.Api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Shop.Ct);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        await using var body = await response.Content.ReadAsStreamAsync(Shop.Ct);
        await foreach (
            var item in SseParser.Create(body, (_, data) => JsonDocument.Parse(data.ToArray()).RootElement).EnumerateAsync(Shop.Ct)
        )
            yield return (item.EventId!, item.Data);
    }
}
