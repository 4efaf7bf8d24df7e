using System.Net.Sockets;
using System.Text;
using Cdc.Api;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Api;

public sealed class FaultTests(TestServers servers)
{
    [Fact]
    public async Task An_engine_that_is_down_is_503_with_retry_after_and_back_by_itself()
    {
        await using var engine = await PgCluster.StartAsync(new PgClusterOptions { Name = "api_engine" }, Shop.Ct);
        await using var bed = await Cdc.Tests.Support.Pipeline.PipelineBed.CreateAsync(
            await servers.Source.ConnectionStringAsync(),
            engine.ConnectionString("postgres"),
            Shop.Ct
        );
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_program (id) VALUES (1); INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'a', 1)",
            Shop.Ct
        );
        var statistics = bed.StartInProcess().Statistics;
        await bed.CaughtUpAsync(Shop.Ct);
        Assert.Equal((RetryState.Working, 0), (statistics.Retry, statistics.Failures(FailureKind.Unavailable)));
        await using var api = await ApiBed.StartAsync(bed, Shop.Ct);
        Assert.Equal(200, (await api.GetAsync("/cards/a/balance", Shop.Ct)).Status);
        await engine.StopAsync(PgStopMode.Immediate, Shop.Ct);
        bed.Engine.DataSource.Clear();
        await Eventually.True(
            "what is kept is not used any more",
            async () => (await api.GetAsync("/cards/a/balance", Shop.Ct)).Status == 503,
            ct: Shop.Ct
        );
        foreach (var path in (string[])["/cards/a/balance", "/cards/odoo/1", "/partners/1/cards", "/quarantine", "/sync/stats"])
        {
            var down = await api.GetAsync(path, Shop.Ct);
            Assert.True(
                down is { Status: 503, Problem: "engine-unavailable" } && down.Headers.ContainsKey("Retry-After"),
                $"{path}: {down}"
            );
        }
        Assert.Equal(503, (await api.PostAsync("/feature-flags/f", "{\"enabled\": false}", Shop.Ct)).Status);
        Assert.Equal(200, (await api.GetAsync("/health/live", Shop.Ct)).Status);
        await Eventually.True(
            "a status of before is not used any more",
            async () => (await api.GetAsync("/health/ready", Shop.Ct)).Status == 503,
            ct: Shop.Ct
        );
        await Eventually.True(
            "the pipeline keeps away from it",
            () => statistics.Retry == RetryState.Waiting && statistics.Failures(FailureKind.Unavailable) > 0,
            () => statistics.Retry.ToString(),
            ct: Shop.Ct
        );
        await engine.StartAgainAsync(Shop.Ct);
        await Eventually.True(
            "the pipeline works again",
            () => statistics.Retry == RetryState.Working,
            () => statistics.Retry.ToString(),
            ct: Shop.Ct
        );
        await Eventually.True("it answers again", async () => (await api.GetAsync("/cards/a/balance", Shop.Ct)).Status == 200, ct: Shop.Ct);
    }

    [Fact]
    public async Task Sessions_that_were_opened_while_the_engine_took_no_writes_do_not_keep_refusing_them()
    {
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, _) => ApiBed.StartAsync(bed, Shop.Ct, new ApiOptions { Connections = 2 })
        );
        Task<int> SwitchAsync() => StatusOfAsync(shop.Api.PostAsync("/feature-flags/f", "{\"enabled\": false}", Shop.Ct));
        Assert.Equal(200, await SwitchAsync());
        await shop.Engine.ExecuteAsync($"ALTER DATABASE {shop.Engine.Name} SET default_transaction_read_only = on", Shop.Ct);
        await shop.Engine.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cdc api'",
            Shop.Ct
        );
        await Eventually.True("new sessions refuse writes", async () => await SwitchAsync() == 503, ct: Shop.Ct);
        // This session was there before.
        await shop.Engine.ExecuteAsync($"ALTER DATABASE {shop.Engine.Name} RESET default_transaction_read_only", Shop.Ct);
        Assert.Equal(200, await SwitchAsync());

        static async Task<int> StatusOfAsync(Task<Answer> answer) => (await answer).Status;
    }

    [Fact]
    public async Task A_slow_engine_costs_each_request_its_time_and_piles_none_up()
    {
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, _) => ApiBed.StartAsync(bed, Shop.Ct, new ApiOptions { Connections = 2, Timeout = TimeSpan.FromSeconds(1) })
        );
        await using var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct);
        await using (var transaction = await connection.BeginTransactionAsync(Shop.Ct))
        {
            await using (var command = new NpgsqlCommand("LOCK TABLE loyalty_cards IN ACCESS EXCLUSIVE MODE", connection))
                await command.ExecuteNonQueryAsync(Shop.Ct);
            var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => shop.BalanceAsync($"nobody {i}")));
            Assert.All(answers, a => Assert.True(a is { Status: 503, Problem: "engine-unavailable" }, a.ToString()));
            Assert.InRange(
                await shop.Engine.ScalarAsync<long>(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cdc api' AND datname = current_database()",
                    Shop.Ct
                ),
                0,
                2
            );
            Assert.Equal(200, (await shop.GetAsync("/health/live")).Status);
        }
        await Eventually.True("it answers again", async () => (await shop.BalanceAsync("card 1")).Status == 200, ct: Shop.Ct);
    }

    [Fact]
    public async Task A_thousand_connections_are_answered_and_slow_ones_disturb_nobody()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var slow = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 1000; i++)
            {
                var client = new TcpClient();
                slow.Add(client);
                await client.ConnectAsync(shop.Api.Address.Host, shop.Api.Address.Port, Shop.Ct);
                await client
                    .GetStream()
                    .WriteAsync(Encoding.ASCII.GetBytes($"GET /cards/card%20{1 + i % 20}/balance HTTP/1.1\r\nHost: x\r\n"), Shop.Ct);
            }
            // All have asked half of it; somebody else is served meanwhile.
            Assert.Equal(200, (await shop.BalanceAsync("card 1")).Status);
            foreach (var client in slow)
                await client.GetStream().WriteAsync("\r\n"u8.ToArray(), Shop.Ct);
            var first = new byte[15];
            foreach (var client in slow)
            {
                await client.GetStream().ReadExactlyAsync(first, Shop.Ct);
                Assert.Equal("HTTP/1.1 200 OK", Encoding.ASCII.GetString(first));
            }
        }
        finally
        {
            foreach (var client in slow)
                client.Dispose();
        }
        Assert.Equal(200, (await shop.BalanceAsync("card 1")).Status);
    }

    [Fact]
    public async Task The_real_program_serves_beside_the_pipeline_and_by_itself_and_logs_no_card()
    {
        await using var bed = await Cdc.Tests.Support.Pipeline.PipelineBed.CreateAsync(servers, Shop.Ct);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_program (id) VALUES (1); INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'very secret', 1)",
            Shop.Ct
        );
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        bed.ApiOptions = new ApiOptions { Urls = $"http://127.0.0.1:{port}" };
        var run = await bed.StartProcessAsync(ct: Shop.Ct);
        // The port is another's: rows are applied all the same, and the Api comes when it is free.
        await bed.CaughtUpAsync(Shop.Ct);
        await Eventually.True(
            "it is said that the port is taken",
            () => run.Tail.Contains("cannot listen", StringComparison.Ordinal),
            () => run.Tail,
            ct: Shop.Ct
        );
        Assert.DoesNotContain("Exception", run.Tail, StringComparison.Ordinal);
        taken.Stop();
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await Eventually.True("it answers", () => AnswersAsync(client), () => Task.FromResult(run.Tail), ct: Shop.Ct);
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Shop.Ct));
        Assert.DoesNotContain("secret", run.Tail, StringComparison.OrdinalIgnoreCase);

        await using var api = await CdcProcess.StartAsync(["api"], bed.Environment(), null, Shop.Ct);
        await Eventually.True("it answers by itself", () => AnswersAsync(client), () => Task.FromResult(api.Tail), ct: Shop.Ct);
        Assert.Equal(0, await api.StopAsync(Signal.Terminate, Shop.Ct));
    }

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync("/cards/very%20secret/balance", Shop.Ct);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
