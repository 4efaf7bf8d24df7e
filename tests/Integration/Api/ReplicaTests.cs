using System.Globalization;
using Cdc.Api;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Api;

/// <summary>A read replica of the engine takes work from it, and the answers are the same.</summary>
public sealed class ReplicaTests(TestServers servers, ReplicatedEngine replicated) : IClassFixture<ReplicatedEngine>
{
    [Fact]
    public async Task A_replica_answers_and_takes_nothing_back_though_it_is_behind()
    {
        await using var shop = await OpenAsync();
        await AnswersAsync(shop);
        for (var round = 1; round <= 30; round++)
        {
            var position = await shop.ChangeAsync($"UPDATE loyalty_card SET points = {round} WHERE id = 1");
            var demanded = await shop.GetAsync($"/cards/odoo/1/balance?min-position={position}&wait=10");
            Assert.Equal((200, $"{round}.00"), (demanded.Status, demanded["points"]));
            foreach (var path in (string[])["/cards/odoo/1/balance", "/cards/card%201/balance"])
            {
                var answer = await shop.GetAsync(path);
                Assert.True(answer["points"] == $"{round}.00", $"{round}: {answer}");
            }
            var batch = await shop.Api.PostAsync("/cards/balances", """{"codes": ["card 1", "card 2"]}""", Shop.Ct);
            Assert.Equal($"{round}.00", batch.Json.GetProperty("results")[0].GetProperty("balance").GetProperty("points").GetString());
            var partner = await shop.GetAsync("/partners/2/cards?limit=1");
            Assert.Equal($"{round}.00", partner.Json.GetProperty("cards")[0].GetProperty("points").GetString());
        }
        await AnswersAsync(shop);
        await shop.ChangeAsync("DELETE FROM loyalty_point_history WHERE loyalty_card_id = 1; DELETE FROM loyalty_card WHERE id = 1");
        await shop.Bed.CaughtUpAsync(Shop.Ct);
        foreach (var path in (string[])["/cards/card%201", "/cards/odoo/1"])
        {
            await Eventually.True($"{path} is gone", async () => (await shop.GetAsync(path)).Status == 404, ct: Shop.Ct);
            for (var again = 0; again < 20; again++)
                Assert.Equal(404, (await shop.GetAsync(path)).Status);
        }
    }

    [Fact]
    public async Task What_a_replica_that_is_behind_has_said_is_not_kept_beyond_the_next_change()
    {
        await using var shop = await OpenAsync();
        await AnswersAsync(shop);
        for (var round = 1; round <= 10; round++)
        {
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
    public async Task A_replica_that_stands_still_or_is_gone_is_done_without_and_one_that_is_back_is_used_again()
    {
        await using var shop = await OpenAsync();
        var (_, standby) = await replicated.StartAsync(Shop.Ct);
        await AnswersAsync(shop);
        await StandbyAsync(standby, "SELECT pg_wal_replay_pause()");
        var position = await shop.ChangeAsync("UPDATE loyalty_card SET points = 77 WHERE id = 4");
        var demanded = await shop.GetAsync($"/cards/odoo/4/balance?min-position={position}&wait=10");
        Assert.Equal((200, "77.00"), (demanded.Status, demanded["points"]));
        await Eventually.True(
            "it is said to be behind",
            async () =>
            {
                Assert.Equal("77.00", (await shop.GetAsync("/cards/odoo/4/balance"))["points"]);
                return await CountAsync(shop, "behind") > 0;
            },
            ct: Shop.Ct
        );
        await StandbyAsync(standby, "SELECT pg_wal_replay_resume()");
        await AnswersAsync(shop);

        await standby.StopAsync(PgStopMode.Immediate, Shop.Ct);
        for (var i = 0; i < 20; i++)
            Assert.Equal(200, (await shop.GetAsync("/cards/odoo/4/balance")).Status);
        Assert.Contains(shop.Bed.Log.Lines, l => l.Contains("A read replica of the engine cannot be asked", StringComparison.Ordinal));
        await standby.StartAgainAsync(Shop.Ct);
        await AnswersAsync(shop);
    }

    [Fact]
    public async Task Another_server_is_not_taken_for_a_replica()
    {
        var other = new NpgsqlConnectionStringBuilder(await servers.Source.ConnectionStringAsync());
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, _) => ApiBed.StartAsync(bed, Shop.Ct, new ApiOptions { ReplicaConnectionString = other.ConnectionString })
        );
        await Eventually.True(
            "it was asked",
            async () =>
            {
                Assert.Equal("1.50", (await shop.GetAsync("/cards/odoo/1/balance"))["points"]);
                return await CountAsync(shop, "failed") > 0;
            },
            ct: Shop.Ct
        );
        Assert.Equal(0, await CountAsync(shop, "answered"));
        Assert.Contains(shop.Bed.Log.Lines, l => l.Contains("its system identifier differs", StringComparison.Ordinal));
        // The engine itself is none either: it replays nothing.
        await using var itself = await ApiBed.StartAsync(
            shop.Bed,
            Shop.Ct,
            new ApiOptions { ReplicaConnectionString = shop.Engine.ConnectionString }
        );
        await Eventually.True(
            "it was asked too",
            async () =>
            {
                Assert.Equal(200, (await itself.GetAsync("/cards/odoo/1/balance", Shop.Ct)).Status);
                return await CountAsync(itself, "behind") > 0;
            },
            ct: Shop.Ct
        );
        Assert.Equal(0, await CountAsync(itself, "answered"));
    }

    [Fact]
    public async Task Under_changes_cut_connections_and_pauses_of_the_replica_no_card_ever_goes_back_and_no_demanded_write_is_missed()
    {
        await using var shop = await OpenAsync();
        var (_, standby) = await replicated.StartAsync(Shop.Ct);
        await AnswersAsync(shop);
        var before = await CountAsync(shop, "answered");
        var (stress, rounds) = (new BalanceStress(shop, random => DisturbAsync(standby, random)), 0);
        // On a busy machine it may be behind what was answered before for as long as one round takes.
        while (await CountAsync(shop, "answered") == before)
        {
            Assert.True(++rounds <= 10, "The replica was never used.");
            await stress.RunAsync();
            await StandbyAsync(standby, "SELECT pg_wal_replay_resume()");
        }
    }

    private static async Task DisturbAsync(PgCluster standby, Random random)
    {
        await StandbyAsync(standby, random.NextDouble() < 0.3 ? "SELECT pg_wal_replay_pause()" : "SELECT pg_wal_replay_resume()");
        await StandbyAsync(
            standby,
            string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT setseed({random.NextDouble()}); SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cdc api replica' AND random() < 0.2"
            )
        );
    }

    private async Task<Shop> OpenAsync()
    {
        var (engine, standby) = await replicated.StartAsync(Shop.Ct);
        var bed = await PipelineBed.CreateAsync(await servers.Source.ConnectionStringAsync(), engine.ConnectionString("postgres"), Shop.Ct);
        return await Shop.OpenAsync(
            bed,
            (b, pipeline) =>
                ApiBed.StartAsync(
                    b,
                    Shop.Ct,
                    new ApiOptions { ReplicaConnectionString = standby.ConnectionString(b.Engine.Name) },
                    statistics: pipeline.Statistics
                )
        );
    }

    private static async Task AnswersAsync(Shop shop)
    {
        var before = await CountAsync(shop, "answered");
        await Eventually.True(
            "the replica answers",
            async () =>
            {
                Assert.Equal(200, (await shop.GetAsync("/cards/odoo/2/balance")).Status);
                return await CountAsync(shop, "answered") > before;
            },
            async () =>
                (await shop.GetAsync("/metrics"))
                    .Text.Split('\n')
                    .Where(l => l.Contains("replica", StringComparison.Ordinal))
                    .Aggregate("", (a, l) => a + l + '\n') + string.Join('\n', shop.Bed.Log.Lines.TakeLast(5)),
            ct: Shop.Ct
        );
    }

    private static Task<long> CountAsync(Shop shop, string result) => CountAsync(shop.Api, result);

    private static async Task<long> CountAsync(ApiBed api, string result) =>
        long.Parse(
            (await api.GetAsync("/metrics", Shop.Ct))
                .Text.Split('\n')
                .Single(l => l.StartsWith($"cdc_replica_reads_total{{result=\"{result}\"}}", StringComparison.Ordinal))
                .Split(' ')[1],
            CultureInfo.InvariantCulture
        );

    private static async Task StandbyAsync(PgCluster standby, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(standby.ConnectionString("postgres")) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(Shop.Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Shop.Ct);
    }
}
