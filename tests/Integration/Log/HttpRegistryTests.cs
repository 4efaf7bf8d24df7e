using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cdc.Core.Failures;
using Cdc.Log.Registry;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Xunit;

namespace Cdc.Tests.Integration.Log;

/// <summary>The client of registries that speak Confluent's protocol, against the built-in one and against one that fails as it is set to.</summary>
public sealed class HttpRegistryTests(TestServers servers)
{
    private const string V1 = """{"type":"record","name":"r","fields":[{"name":"a","type":"int"}]}""";
    private const string Breaking = """{"type":"record","name":"r","fields":[{"name":"b","type":"int"}]}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_it_registers_is_what_the_table_knows()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        using var client = new ConfluentSchemaClient(new RegistryOptions { Url = api.Address.ToString() });
        var table = new RegistryTable(bed.Engine.DataSource);
        var id = await client.RegisterAsync("odoo.public.x-value", V1, Ct);
        Assert.Equal(
            (V1, id),
            ((await table.VersionsAsync("odoo.public.x-value", Ct))[0].Schema, (await table.VersionsAsync("odoo.public.x-value", Ct))[0].Id)
        );
        Assert.Equal((V1, null), (await client.FindAsync(id, Ct), await client.FindAsync(id == 1 ? 2 : 1, Ct)));
        var refused = await Assert.ThrowsAsync<CdcException>(() => client.RegisterAsync("odoo.public.x-value", Breaking, Ct).AsTask());
        Assert.Equal(FailureKind.Preflight, refused.Kind);
        Assert.Contains("/b", refused.Message, StringComparison.Ordinal);
        using var elsewhere = new ConfluentSchemaClient(new RegistryOptions { Url = new Uri(api.Address, "no/registry").ToString() });
        Assert.Equal(FailureKind.Configuration, (await Assert.ThrowsAsync<CdcException>(() => elsewhere.FindAsync(id, Ct).AsTask())).Kind);
        var byTable = await Assert.ThrowsAsync<CdcException>(() =>
            new TableSchemaClient(table).RegisterAsync("odoo.public.x-value", Breaking, Ct).AsTask()
        );
        Assert.Equal(refused.Kind, byTable.Kind);
    }

    [Fact]
    public async Task It_asks_again_until_it_is_answered_and_gives_up_in_the_end()
    {
        await using var server = await FailingRegistry.StartAsync(failures: 2);
        using var client = new ConfluentSchemaClient(server.Options);
        Assert.Equal(7, await client.RegisterAsync("s", V1, Ct));
        server.Fail(100);
        Assert.Equal(FailureKind.Unavailable, (await Assert.ThrowsAsync<CdcException>(() => client.FindAsync(7, Ct).AsTask())).Kind);
        using var nobody = new ConfluentSchemaClient(server.Options with { Url = "http://127.0.0.1:1" });
        Assert.Equal(FailureKind.Unavailable, (await Assert.ThrowsAsync<CdcException>(() => nobody.FindAsync(7, Ct).AsTask())).Kind);
    }

    [Fact]
    public async Task What_was_seen_goes_on_while_the_registry_is_away()
    {
        await using var server = await FailingRegistry.StartAsync(failures: 0);
        using var client = new ConfluentSchemaClient(server.Options);
        var known = new KnownSchemas(client);
        Assert.Equal(7, await known.RegisterAsync("s", V1, Ct));
        server.Fail(1_000);
        Assert.Equal((7, V1), (await known.RegisterAsync("s", V1, Ct), await known.FindAsync(7, Ct)));
        Assert.Equal(
            FailureKind.Unavailable,
            (await Assert.ThrowsAsync<CdcException>(() => known.RegisterAsync("other", V1, Ct).AsTask())).Kind
        );
    }

    [Fact]
    public async Task An_answer_that_takes_longer_than_the_time_out_is_none()
    {
        await using var server = await FailingRegistry.StartAsync(failures: 0, silent: true);
        using var client = new ConfluentSchemaClient(server.Options with { Timeout = TimeSpan.FromMilliseconds(50) });
        Assert.Contains(
            "in time",
            (await Assert.ThrowsAsync<CdcException>(() => client.FindAsync(7, Ct).AsTask())).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task User_and_password_are_sent_and_a_refusal_is_the_configurations_fault()
    {
        await using var server = await FailingRegistry.StartAsync(failures: 0, credentials: "cdc:pässword");
        using var right = new ConfluentSchemaClient(server.Options with { Username = "cdc", Password = "pässword" });
        Assert.Equal(7, await right.RegisterAsync("s", V1, Ct));
        using var wrong = new ConfluentSchemaClient(server.Options with { Username = "cdc", Password = "x" });
        var refused = await Assert.ThrowsAsync<CdcException>(() => wrong.RegisterAsync("s", V1, Ct).AsTask());
        Assert.Equal(FailureKind.Configuration, refused.Kind);
        Assert.DoesNotContain("x\"", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_of_ones_own_authority_is_trusted_where_it_is_named()
    {
        var pem = Path.Combine(Path.GetTempPath(), $"registry-{Guid.NewGuid():n}.pem");
        using var certificate = SelfSigned();
        await File.WriteAllTextAsync(pem, certificate.ExportCertificatePem(), Ct);
        try
        {
            await using var server = await FailingRegistry.StartAsync(failures: 0, certificate: certificate);
            using var trusting = new ConfluentSchemaClient(server.Options with { CaCertificate = pem });
            Assert.Equal(7, await trusting.RegisterAsync("s", V1, Ct));
            using var wary = new ConfluentSchemaClient(server.Options);
            Assert.Equal(
                FailureKind.Unavailable,
                (await Assert.ThrowsAsync<CdcException>(() => wary.RegisterAsync("s", V1, Ct).AsTask())).Kind
            );
        }
        finally
        {
            File.Delete(pem);
        }
        Assert.Equal(
            FailureKind.Configuration,
            Assert
                .Throws<CdcException>(() =>
                    new ConfluentSchemaClient(new RegistryOptions { Url = "https://127.0.0.1:1", CaCertificate = pem })
                )
                .Kind
        );
    }

    [Fact]
    public async Task An_authority_of_ones_own_is_trusted_for_the_hosts_and_the_time_that_its_certificates_name()
    {
        using var authority = new TestAuthority();
        var pem = authority.Write();
        foreach (
            var (signed, right) in new[]
            {
                (authority.Sign(), true),
                (authority.Sign(host: "elsewhere.test"), false),
                (authority.Sign(expired: true), false),
            }
        )
        {
            await using var server = await FailingRegistry.StartAsync(failures: 0, certificate: signed);
            using var client = new ConfluentSchemaClient(server.Options with { CaCertificate = pem, Client = OneAttempt });
            if (right)
                Assert.Equal(7, await client.RegisterAsync("s", V1, Ct));
            else
                Assert.Equal(
                    FailureKind.Unavailable,
                    (await Assert.ThrowsAsync<CdcException>(() => client.RegisterAsync("s", V1, Ct).AsTask())).Kind
                );
        }
    }

    [Fact]
    public async Task A_registry_that_demands_a_certificate_of_its_clients_is_given_one()
    {
        using var authority = new TestAuthority();
        var (pem, store) = (authority.Write(), authority.WriteStore("secret"));
        await using var server = await FailingRegistry.StartAsync(failures: 0, certificate: authority.Sign(), demandsCertificate: true);
        var settings = new Dictionary<string, string>(OneAttempt)
        {
            ["ssl_keystore_location"] = store,
            ["ssl.keystore.password"] = "secret",
        };
        using var known = new ConfluentSchemaClient(server.Options with { CaCertificate = pem, Client = settings });
        Assert.Equal(7, await known.RegisterAsync("s", V1, Ct));
        using var unknown = new ConfluentSchemaClient(server.Options with { CaCertificate = pem, Client = OneAttempt });
        Assert.Equal(
            FailureKind.Unavailable,
            (await Assert.ThrowsAsync<CdcException>(() => unknown.RegisterAsync("s", V1, Ct).AsTask())).Kind
        );
        settings["ssl.keystore.password"] = "wrong";
        Assert.Equal(
            FailureKind.Configuration,
            Assert
                .Throws<CdcException>(() => new ConfluentSchemaClient(server.Options with { CaCertificate = pem, Client = settings }))
                .Kind
        );
    }

    [Fact]
    public async Task A_token_is_fetched_where_OAuth_is_configured_and_sent()
    {
        await using var server = await FailingRegistry.StartAsync(failures: 0, token: "t0ken");
        using var client = new ConfluentSchemaClient(
            server.Options with
            {
                Client = new Dictionary<string, string>
                {
                    ["bearer_auth_credentials_source"] = "OAUTHBEARER",
                    ["bearer.auth.token.endpoint.url"] = server.Options.Url + "/token",
                    ["bearer.auth.client.id"] = "cdc",
                    ["bearer.auth.client.secret"] = "secret",
                    ["bearer.auth.scope"] = "registry",
                    ["schema.registry.bearer.auth.logical.cluster"] = "",
                },
            }
        );
        Assert.Equal((7, V1), (await client.RegisterAsync("s", V1, Ct), await client.FindAsync(7, Ct)));
        using var without = new ConfluentSchemaClient(server.Options);
        Assert.Equal(FailureKind.Configuration, (await Assert.ThrowsAsync<CdcException>(() => without.FindAsync(7, Ct).AsTask())).Kind);
    }

    [Fact]
    public async Task Of_several_addresses_the_next_one_is_asked_where_one_does_not_answer()
    {
        await using var server = await FailingRegistry.StartAsync(failures: 0);
        using var client = new ConfluentSchemaClient(
            server.Options with
            {
                Url = $"http://127.0.0.1:1, {server.Options.Url}",
                Client = OneAttempt,
            }
        );
        Assert.Equal((7, V1), (await client.RegisterAsync("s", V1, Ct), await client.FindAsync(7, Ct)));
    }

    [Fact]
    public async Task Who_does_not_want_to_wait_any_longer_does_not()
    {
        await using var server = await FailingRegistry.StartAsync(failures: 0, silent: true);
        using var client = new ConfluentSchemaClient(server.Options with { Timeout = TimeSpan.FromMinutes(5) });
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var asked = client.FindAsync(7, impatient.Token).AsTask();
        await server.Asked.WaitAsync(Ct);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }

    [Theory]
    [InlineData("no.such.setting", "1")]
    [InlineData("max.retries", "none")]
    [InlineData("max.retries", "0")]
    [InlineData("url", "http://other")]
    [InlineData("ssl.ca.location", "")]
    public void A_setting_that_the_client_does_not_know_is_the_configurations_fault(string name, string value) =>
        Assert.Equal(
            FailureKind.Configuration,
            Assert
                .Throws<CdcException>(() =>
                    new ConfluentSchemaClient(
                        new RegistryOptions
                        {
                            Url = "http://127.0.0.1:1",
                            Client = new Dictionary<string, string> { [name] = value },
                        }
                    )
                )
                .Kind
        );

    private static readonly Dictionary<string, string> OneAttempt = new() { ["max.retries"] = "1" };

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    /// <summary>Of a certificate authority, which signs for this host, for another, or for a time that is over.</summary>
    private sealed class TestAuthority : IDisposable
    {
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly X509Certificate2 _certificate;
        private readonly List<string> _files = [];

        public TestAuthority()
        {
            var request = new CertificateRequest("CN=cdc test authority", _key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(9));
        }

        public X509Certificate2 Sign(string? host = null, bool expired = false)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={host ?? "127.0.0.1"}", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            if (host is null)
                names.AddIpAddress(IPAddress.Loopback);
            else
                names.AddDnsName(host);
            request.CertificateExtensions.Add(names.Build());
            var until = DateTimeOffset.UtcNow.AddDays(expired ? -1 : 1);
            using var signed = request.Create(_certificate, DateTimeOffset.UtcNow.AddDays(-8), until, RandomNumberGenerator.GetBytes(8));
            using var whole = signed.CopyWithPrivateKey(key);
            return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pfx), null);
        }

        public string Write() => Write("pem", Encoding.UTF8.GetBytes(_certificate.ExportCertificatePem()));

        public string WriteStore(string password)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=cdc", key, HashAlgorithmName.SHA256);
            using var signed = request.Create(
                _certificate,
                DateTimeOffset.UtcNow.AddDays(-1),
                DateTimeOffset.UtcNow.AddDays(1),
                RandomNumberGenerator.GetBytes(8)
            );
            using var whole = signed.CopyWithPrivateKey(key);
            return Write("pfx", whole.Export(X509ContentType.Pfx, password));
        }

        public void Dispose()
        {
            _files.ForEach(File.Delete);
            _certificate.Dispose();
            _key.Dispose();
        }

        private string Write(string kind, byte[] content)
        {
            _files.Add(Path.Combine(Path.GetTempPath(), $"registry-{Guid.NewGuid():n}.{kind}"));
            File.WriteAllBytes(_files[^1], content);
            return _files[^1];
        }
    }

    /// <summary>Knows one schema, V1 with id 7, and answers 503 as often as it is set to.</summary>
    private sealed class FailingRegistry : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _failures;

        private FailingRegistry(WebApplication app, int failures) => (_app, _failures) = (app, failures);

        /// <summary>Once it has a request.</summary>
        public Task Asked => _asked.Task;

        public RegistryOptions Options => new() { Url = _app.Urls.First() };

        public static async Task<FailingRegistry> StartAsync(
            int failures,
            string? credentials = null,
            bool silent = false,
            X509Certificate2? certificate = null,
            bool demandsCertificate = false,
            string? token = null
        )
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder
                .WebHost.UseKestrelCore()
                .UseKestrelHttpsConfiguration()
                .ConfigureKestrel(kestrel =>
                    kestrel.Listen(
                        IPAddress.Loopback,
                        0,
                        listen =>
                        {
                            if (certificate is not null)
                                listen.UseHttps(https =>
                                {
                                    https.ServerCertificate = certificate;
                                    https.ClientCertificateMode = demandsCertificate
                                        ? ClientCertificateMode.RequireCertificate
                                        : ClientCertificateMode.NoCertificate;
                                    https.AllowAnyClientCertificate();
                                });
                        }
                    )
                );
            var registry = new FailingRegistry(builder.Build(), failures);
            var expected =
                token is not null ? "Bearer " + token
                : credentials is null ? null
                : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials));
            registry._app.Run(async http =>
            {
                registry._asked.TrySetResult();
                if (http.Request.Path == "/token")
                {
                    var form = await http.Request.ReadFormAsync(http.RequestAborted);
                    if (
                        $"{form["grant_type"]} {form["client_id"]} {form["client_secret"]} {form["scope"]}"
                        != "client_credentials cdc secret registry"
                    )
                        http.Response.StatusCode = 400;
                    await http.Response.WriteAsync($$"""{"access_token":"{{token}}","token_type":"Bearer","expires_in":60}""");
                    return;
                }
                if (silent)
                    await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (expected is not null && http.Request.Headers.Authorization != expected)
                    http.Response.StatusCode = 401;
                else if (Interlocked.Decrement(ref registry._failures) >= 0)
                    http.Response.StatusCode = 503;
                else
                    await http.Response.WriteAsync(
                        http.Request.Method == "POST"
                            ? """{"id":7}"""
                            : new System.Text.Json.Nodes.JsonObject { ["schema"] = V1 }.ToJsonString()
                    );
            });
            await registry._app.StartAsync(Ct);
            return registry;
        }

        public void Fail(int times) => Volatile.Write(ref _failures, times);

        public async ValueTask DisposeAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await _app.StopAsync(patience.Token);
            await _app.DisposeAsync();
        }
    }
}
