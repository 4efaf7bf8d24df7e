using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cdc.Api;
using Cdc.Api.Security;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

public sealed class SecurityTests(TestServers servers)
{
    [Fact]
    public async Task Once_a_key_was_made_nobody_is_let_in_without_one_and_a_revoked_one_stops_while_in_use()
    {
        await using var shop = await Shop.OpenAsync(servers);
        Assert.Equal(200, (await shop.BalanceAsync("card 1")).Status);
        var (text, key) = await CreateAsync(shop, Scopes.Read);
        await Eventually.True("the key is asked for", async () => (await shop.BalanceAsync("card 1")).Status == 401, ct: Shop.Ct);
        Assert.Equal(
            ("key-needed", "Bearer"),
            ((await shop.BalanceAsync("card 1")).Problem, (await shop.BalanceAsync("card 1")).Headers["WWW-Authenticate"])
        );
        Assert.Equal(200, (await AskAsync(shop, text)).Status);
        Assert.Equal(200, (await shop.GetAsync("/cards/card%201", ("X-Api-Key", text))).Status);
        foreach (
            var wrong in (string[])
                [text[..^1], text + "x", "cdc_" + key.Id + "_", key.Id, "", "cdc_" + new string('a', 12) + "_x", new string('x', 5000)]
        )
            Assert.Equal(401, (await AskAsync(shop, wrong)).Status);
        foreach (var open in (string[])["/health", "/health/live", "/health/ready", "/openapi/v1.json"])
            Assert.Equal(200, (await shop.GetAsync(open)).Status);
        foreach (
            var closed in (string[])
                ["/metrics", "/status", "/lag", "/sync/stats", "/snapshots", "/quarantine", "/feature-flags", "/partners/1/cards"]
        )
            Assert.Equal(401, (await shop.GetAsync(closed)).Status);

        await using (var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct))
            Assert.Equal(1, await KeyTable.RevokeAsync(connection, key.Name, Shop.Ct));
        await Eventually.True("the revoked key is refused", async () => (await AskAsync(shop, text)).Status == 401, ct: Shop.Ct);
        // No key is left: that does not open the door again.
        Assert.Equal(401, (await shop.BalanceAsync("card 1")).Status);
        Assert.DoesNotContain(
            text.Split('_', 3)[2],
            string.Join('\n', await shop.Engine.RowsAsync("SELECT k::text FROM cdc.api_keys k", Shop.Ct)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_key_may_do_what_its_scopes_say()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var (read, operate, cutover) = (
            (await CreateAsync(shop, Scopes.Read)).Text,
            (await CreateAsync(shop, Scopes.Operate)).Text,
            (await CreateAsync(shop, Scopes.Cutover)).Text
        );
        await Eventually.True("the keys are known", async () => (await AskAsync(shop, read)).Status == 200, ct: Shop.Ct);
        Assert.Equal((403, "scope-needed"), ((await AskAsync(shop, operate)).Status, (await AskAsync(shop, operate)).Problem));
        Assert.Equal((403, 200, 200), (await FlagAsync(read), await FlagAsync(operate), await FlagAsync(cutover)));
        Assert.Equal((403, 404, 403), (await RetryAsync(read), await RetryAsync(operate), await RetryAsync(cutover)));

        async Task<int> FlagAsync(string key) =>
            (await shop.Api.PostAsync("/feature-flags/f", "{\"enabled\": true}", Shop.Ct, Bearer(key))).Status;
        async Task<int> RetryAsync(string key) => (await shop.Api.PostAsync("/quarantine/card/1/retry", "", Shop.Ct, Bearer(key))).Status;
    }

    [Fact]
    public async Task A_key_has_its_own_rate()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var (slow, other) = ((await CreateAsync(shop, Scopes.Read, 3)).Text, (await CreateAsync(shop, Scopes.Read)).Text);
        await Eventually.True("the keys are known", async () => (await AskAsync(shop, other)).Status == 200, ct: Shop.Ct);
        Answer answer;
        do answer = await AskAsync(shop, slow);
        while (answer.Status == 200);
        Assert.Equal((429, "too-many-requests"), (answer.Status, answer.Problem));
        Assert.InRange(int.Parse(answer.Headers["Retry-After"]), 1, 60);
        Assert.Equal(200, (await AskAsync(shop, other)).Status);
        await Eventually.True("the rate allows more again", async () => (await AskAsync(shop, slow)).Status == 200, ct: Shop.Ct);
    }

    [Fact]
    public async Task Without_keys_a_page_of_another_site_and_a_proxy_get_nothing()
    {
        await using var shop = await Shop.OpenAsync(servers);
        (string, string)[][] refused =
        [
            [("Origin", "https://evil.example")],
            [("Sec-Fetch-Site", "cross-site")],
            [("X-Forwarded-For", "203.0.113.7")],
            [("Host", "evil.example"), ("Accept-Language", "en")],
            [("Host", "evil.example"), ("Origin", "http://evil.example")],
        ];
        foreach (var headers in refused)
        {
            var answer = await shop.Api.PostAsync("/feature-flags/rust-engine", "{\"enabled\": true}", Shop.Ct, headers);
            Assert.Equal((403, "only-local"), (answer.Status, answer.Problem));
        }
        Assert.Equal(200, (await shop.GetAsync("/status", ("Sec-Fetch-Site", "same-origin"), ("Accept-Language", "en"))).Status);
        Assert.Equal(200, (await shop.GetAsync("/status", ("Host", "api"))).Status);
    }

    [Fact]
    public async Task Without_keys_only_loopback_is_listened_to_and_that_is_said()
    {
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, _) => ApiBed.StartAsync(bed, Shop.Ct, new ApiOptions { Urls = "http://*:0" })
        );
        Assert.Equal("127.0.0.1", shop.Api.Address.Host);
        Assert.Contains(shop.Bed.Log.Lines, l => l.Contains("on this machine only", StringComparison.Ordinal));
        await CreateAsync(shop, Scopes.Read);
        await using var open = await ApiBed.StartAsync(shop.Bed, Shop.Ct, new ApiOptions { Urls = "http://127.0.0.2:0" });
        Assert.Equal("127.0.0.2", open.Address.Host);
    }

    [Fact]
    public async Task Https_is_served_with_the_configured_certificate_and_every_answer_has_the_security_headers()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1),
            DateTimeOffset.UtcNow.AddDays(1)
        );
        var folder = Directory.CreateTempSubdirectory("cdc-tls-").FullName;
        try
        {
            var (cert, pem) = (Path.Combine(folder, "cert.pem"), Path.Combine(folder, "key.pem"));
            await File.WriteAllTextAsync(cert, certificate.ExportCertificatePem(), Shop.Ct);
            await File.WriteAllTextAsync(pem, key.ExportPkcs8PrivateKeyPem(), Shop.Ct);
            await using var shop = await Shop.OpenAsync(
                servers,
                (bed, _) =>
                    ApiBed.StartAsync(
                        bed,
                        Shop.Ct,
                        new ApiOptions
                        {
                            Urls = "https://127.0.0.1:0",
                            Certificate = cert,
                            CertificateKey = pem,
                        }
                    )
            );
            using var client = new HttpClient(
                new SocketsHttpHandler
                {
                    SslOptions = new SslClientAuthenticationOptions
                    {
                        RemoteCertificateValidationCallback = (_, c, _, _) => c!.GetCertHashString() == certificate.GetCertHashString(),
                    },
                }
            );
            using var answer = await client.GetAsync(new Uri(shop.Api.Address, "/cards/card%201/balance"), Shop.Ct);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains(answer.Headers, h => h.Key == "Strict-Transport-Security");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        await using var plain = await Shop.OpenAsync(servers);
        foreach (var path in (string[])["/cards/card%201", "/nothing", "/cards/%20", "/health"])
        {
            var headers = (await plain.GetAsync(path)).Headers;
            Assert.Equal(
                ("nosniff", "DENY", "no-referrer"),
                (headers["X-Content-Type-Options"], headers["X-Frame-Options"], headers["Referrer-Policy"])
            );
            Assert.False(headers.ContainsKey("Server"));
        }
    }

    private static async Task<(string Text, ApiKey Key)> CreateAsync(Shop shop, string scope, int? rate = null)
    {
        await using var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct);
        return await KeyTable.CreateAsync(connection, "test " + scope, [scope], rate, Shop.Ct);
    }

    private static Task<Answer> AskAsync(Shop shop, string key) => shop.GetAsync("/cards/card%201/balance", Bearer(key));

    private static (string, string) Bearer(string key) => ("Authorization", "Bearer " + key);
}
