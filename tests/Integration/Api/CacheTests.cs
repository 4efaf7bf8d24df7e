using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Network;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Api;

/// <summary>What is answered from memory: as soon as it may be, and never older than what was answered before.</summary>
public sealed class CacheTests(TestServers servers)
{
    [Fact]
    public async Task A_card_that_does_not_change_is_read_once_and_its_answer_stays_fresh()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await WarmAsync(shop, "card 1");
        // Whatever reads the engine's table now waits: only memory can answer.
        await using var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct);
        await using var transaction = await connection.BeginTransactionAsync(Shop.Ct);
        await using (var command = new NpgsqlCommand("LOCK TABLE loyalty_cards IN ACCESS EXCLUSIVE MODE", connection))
            await command.ExecuteNonQueryAsync(Shop.Ct);
        await Eventually.True(
            "how fresh it is, is known",
            async () => (await shop.BalanceAsync("card 1"))["asOf"] is not null,
            ct: Shop.Ct
        );
        var first = await shop.BalanceAsync("Card 1");
        Assert.Equal((200, "1.50"), (first.Status, first["points"]));
        await Eventually.True(
            "its asOf moves on",
            async () =>
                (await shop.BalanceAsync("CARD 1")).Json.GetProperty("asOf").GetDateTimeOffset()
                > first.Json.GetProperty("asOf").GetDateTimeOffset(),
            ct: Shop.Ct
        );
        Assert.Equal(
            (503, "engine-unavailable"),
            ((await shop.BalanceAsync("card 2")).Status, (await shop.BalanceAsync("card 2")).Problem)
        );
    }

    [Fact]
    public async Task A_card_that_takes_over_a_code_ends_what_was_kept_for_it()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await WarmAsync(shop, "card 1");
        await shop.ChangeAsync("UPDATE loyalty_card SET code = 'card 1 ' WHERE id = 2");
        await Eventually.True(
            "both have the code",
            async () => (await shop.BalanceAsync("card 1")).Problem == "code-ambiguous",
            ct: Shop.Ct
        );
        await shop.ChangeAsync("UPDATE loyalty_card SET code = 'card 2' WHERE id = 1");
        await Eventually.True(
            "they have swapped",
            async () => (await shop.BalanceAsync("card 1"))["cardId"] == "2" && (await shop.BalanceAsync("card 2"))["cardId"] == "1",
            ct: Shop.Ct
        );
        await shop.ChangeAsync("DELETE FROM loyalty_card WHERE id = 2");
        await Eventually.True("it is gone", async () => (await shop.BalanceAsync("card 1")).Status == 404, ct: Shop.Ct);
        await shop.ChangeAsync("TRUNCATE loyalty_card CASCADE");
        await Eventually.True("all are gone", async () => (await shop.BalanceAsync("card 2")).Status == 404, ct: Shop.Ct);
    }

    [Fact]
    public async Task A_change_that_is_announced_while_the_listener_is_cut_off_is_not_missed()
    {
        await using var shop = await Shop.OpenAsync(servers);
        for (var round = 1; round <= 5; round++)
        {
            await WarmAsync(shop, "card 3");
            // In one statement: the connection is gone before the change can be announced on it.
            await shop.Engine.ExecuteAsync(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cdc api listener' AND datname = current_database()",
                Shop.Ct
            );
            await shop.ChangeAsync($"UPDATE loyalty_card SET points = {round} WHERE id = 3");
            await shop.Bed.CaughtUpAsync(Shop.Ct);
            await Eventually.True(
                "the change is answered",
                async () => (await shop.BalanceAsync("card 3"))["points"] == $"{round}.00",
                ct: Shop.Ct
            );
        }
    }

    [Fact]
    public async Task A_listener_that_goes_silent_is_noticed()
    {
        await using var proxy = TcpProxy.Start(new NpgsqlConnectionStringBuilder(await servers.Engine.ConnectionStringAsync()).Port);
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, pipeline) =>
                ApiBed.StartAsync(
                    bed,
                    Shop.Ct,
                    engine: new NpgsqlConnectionStringBuilder(bed.Engine.ConnectionString) { Port = proxy.Port }.ConnectionString
                )
        );
        await WarmAsync(shop, "card 4");
        proxy.GoSilent();
        await shop.ChangeAsync("UPDATE loyalty_card SET points = 99 WHERE id = 4");
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        // For two seconds the old answer may be given, with an asOf before the change; then there is no engine to ask.
        await Eventually.True(
            "what is kept is not used any more",
            async () => (await shop.BalanceAsync("card 4")).Status == 503,
            ct: Shop.Ct
        );
        proxy.Heal(tellServer: true);
        await Eventually.True("it is back by itself", async () => (await shop.BalanceAsync("card 4"))["points"] == "99.00", ct: Shop.Ct);
    }

    [Fact]
    public async Task Under_changes_and_cut_connections_no_card_ever_goes_back_and_no_demanded_write_is_missed()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await new BalanceStress(shop).RunAsync();
    }

    /// <summary>Asked until the answer comes from memory: then asking again changes the count of hits.</summary>
    private static Task WarmAsync(Shop shop, string code) =>
        Eventually.True(
            $"{code} is kept",
            async () =>
            {
                await shop.BalanceAsync(code);
                var before = await HitsAsync(shop);
                await shop.BalanceAsync(code);
                return await HitsAsync(shop) > before;
            },
            ct: Shop.Ct
        );

    private static async Task<int> HitsAsync(Shop shop) =>
        int.Parse(
            (await shop.GetAsync("/metrics"))
                .Text.Split('\n')
                .Single(l => l.StartsWith("cdc_cache_hits_total ", StringComparison.Ordinal))
                .Split(' ')[1],
            System.Globalization.CultureInfo.InvariantCulture
        );
}
