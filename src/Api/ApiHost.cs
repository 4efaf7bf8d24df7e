using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Flags;
using Cdc.Api.Freshness;
using Cdc.Api.Live;
using Cdc.Api.Metrics;
using Cdc.Api.Operations;
using Cdc.Api.Page;
using Cdc.Api.Problems;
using Cdc.Api.Routes;
using Cdc.Api.Schemas;
using Cdc.Api.Security;
using Cdc.Core.Failures;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cdc.Api;

/// <summary>One running Api: the server, and its background readers.</summary>
public sealed class ApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stop = new();
    private readonly IDisposable? _otlp;
    private Task _background = Task.CompletedTask;

    private ApiHost(WebApplication app, ApiParts parts, ApiOptions options) =>
        (_app, _otlp) = (app, OtlpExport.Start(options, parts.Version));

    /// <summary>Where it listens, such as <c>http://127.0.0.1:8642</c>.</summary>
    public IReadOnlyList<string> Addresses =>
        [.. _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses];

    /// <exception cref="CdcException">Configuration: it cannot listen on an address, or the certificate cannot be read.</exception>
    public static async Task<ApiHost> StartAsync(ApiParts parts, ApiOptions options, CancellationToken ct)
    {
        var log = parts.Loggers.CreateLogger("Cdc.Api");
        // No environment variables of ASP.NET: options come only from cdc's configuration.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "cdc" });
        builder.Services.AddSingleton(parts.Loggers);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddApi(parts, options);
        var anyKeys = await AnyKeysAsync(parts, options, ct);
        // Where that is not known, health and status are answered to other machines too; requests that need a key are refused until it is.
        var urls = ListenUrl.Parse(options.Urls, anyKeys ?? true);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Configure(kestrel, urls, options));
        var host = new ApiHost(builder.Build(), parts, options);
        try
        {
            await host.StartAsync(urls, log, ct);
            if (anyKeys is null)
                log.KeysUnknown();
            return host;
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await host.DisposeAsync();
            throw new CdcException(
                FailureKind.Configuration,
                $"The Api cannot listen at {options.Urls}: {e.Message}",
                "Free the port, or set Api:Urls to another one.",
                e
            );
        }
    }

    public async ValueTask DisposeAsync()
    {
        // What a callback of a broken connection throws must not keep the server from stopping.
        await _stop.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using (var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(5)))
            await _app.StopAsync(timeout.Token);
        await _background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _otlp?.Dispose();
        await _app.DisposeAsync();
        _stop.Dispose();
    }

    private async Task StartAsync(IReadOnlyList<ListenUrl> urls, ILogger log, CancellationToken ct)
    {
        MapPipeline(_app);
        // Nothing asks for these before it is measured.
        _app.Services.GetRequiredService<MetricCollector>();
        _app.Services.GetRequiredService<PipelineMetrics>();
        _app.Services.GetRequiredService<RequestDurations>();
        _app.Services.GetRequiredService<RoutedReads>();
        _app.Services.GetRequiredService<WayBackStanding>();
        await _app.StartAsync(ct);
        var services = _app.Services;
        _background = Task.WhenAll(
            Task.Run(() => services.GetRequiredService<EngineListener>().RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => services.GetRequiredService<SourceSampler>().RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => services.GetRequiredService<AppliedDays>().RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => services.GetRequiredService<LiveSampler>().RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => services.GetRequiredService<CutoverWatch>().RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => services.GetService<ShadowReads>()?.RunAsync(_stop.Token) ?? Task.CompletedTask, CancellationToken.None)
        );
        foreach (var url in urls.Where(u => u.Narrowed))
            ApiLog.NarrowedToLoopback(log, url.Url.ToString(), services.GetRequiredService<ApiOptions>().Urls);
        if (ServedCards.Of(services.GetRequiredService<ApiParts>().Entities) is null)
            log.NoCards();
        ApiLog.Listens(log, string.Join(", ", Addresses));
    }

    private static void MapPipeline(WebApplication app)
    {
        app.Use(SecurityHeaders.Add);
        app.UseMiddleware<FailureHandling>();
        app.UseRouting();
        app.UseMiddleware<Admission>();
        var parts = app.Services.GetRequiredService<ApiParts>();
        if (ServedCards.Of(parts.Entities) is { } cards)
        {
            CardEndpoints.Map(app);
            BatchEndpoint.Map(app);
            ListEndpoints.Map(app, cards);
            ReadRouteEndpoint.Map(app);
        }
        else
            NotDeclared.MapCards(app);
        StatusEndpoints.Map(app, parts);
        QuarantineEndpoints.Map(app);
        FlagEndpoints.Map(app);
        OfrepEndpoints.Map(app);
        SchemaEndpoints.Map(app, parts.Schemas, parts.Version);
        HealthEndpoints.Map(app);
        MetricsEndpoint.Map(app);
        ReconcileEndpoints.Map(app);
        CallerEndpoint.Map(app);
        LiveEndpoint.Map(app);
        PageFiles.Map(app);
        app.MapOpenApi();
        app.UseEndpoints(_ => { });
    }

    /// <summary>Null: the engine cannot say.</summary>
    private static async Task<bool?> AnyKeysAsync(ApiParts parts, ApiOptions options, CancellationToken ct)
    {
        await using var engine = new EngineReads(parts.EngineConnectionString, options);
        try
        {
            return await engine.UseAsync(async c => (await KeyTable.AllAsync(c, ct)).Count > 0, ct);
        }
        catch (EngineUnavailableException)
        {
            return null;
        }
    }

    private static void Configure(KestrelServerOptions kestrel, IReadOnlyList<ListenUrl> urls, ApiOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 256 << 10;
        kestrel.Limits.MaxRequestLineSize = 32 << 10;
        kestrel.Limits.MaxRequestBufferSize = 64 << 10;
        kestrel.Limits.MaxConcurrentConnections = 10_000;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        foreach (var url in urls)
        {
            Action<ListenOptions> configure = url.IsHttps ? listen => listen.UseHttps(Certificate(options)) : _ => { };
            if (url.Address is { } address)
                kestrel.Listen(address, url.Url.Port, configure);
            else
                kestrel.ListenAnyIP(url.Url.Port, configure);
        }
    }

    private static X509Certificate2 Certificate(ApiOptions options)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(
                options.Certificate,
                options.CertificateKey.Length > 0 ? options.CertificateKey : null
            );
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CdcException(
                FailureKind.Configuration,
                $"The certificate for https cannot be read: {e.Message}",
                "Set Api:Certificate and Api:CertificateKey to PEM files.",
                e
            );
        }
    }

    /// <summary>The program handles signals: a server that handles them would prevent a second one from ending the process.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
