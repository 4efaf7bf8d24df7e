using System.Net.Http.Headers;
using System.Text.Json;
using Cdc.Api;
using Cdc.Api.Odoo;
using Cdc.Core.Telemetry;
using Cdc.Engine.Status;
using Cdc.Host.Configuration;
using Cdc.Host.Quarantine;
using Cdc.Host.Reconciling;
using Cdc.Host.Servers;
using Cdc.Host.Status;
using Cdc.Log.Registry;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Microsoft.Extensions.Logging;

namespace Cdc.Tests.Support.Api;

/// <summary>The Api over a <see cref="PipelineBed"/>, in this process, on a free port of 127.0.0.1; asked over real HTTP.</summary>
public sealed class ApiBed : IAsyncDisposable
{
    private readonly Database _source;
    private readonly Database _engine;
    private readonly OdooReads _odoo;
    private readonly LogStatusReader? _log;
    private readonly ApiHost _host;
    private bool _stopped;

    private ApiBed(Database source, Database engine, OdooReads odoo, LogStatusReader? log, ApiHost host)
    {
        (_source, _engine, _odoo, _log, _host) = (source, engine, odoo, log, host);
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(host.Addresses[0]),
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    public HttpClient Client { get; }

    public Uri Address => Client.BaseAddress!;

    /// <param name="engine">Another way to the same engine, such as through a proxy.</param>
    /// <param name="statistics">Of the pipeline that runs in this process, if one does.</param>
    /// <param name="kafka">The log, if it is not in-process.</param>
    /// <param name="odooConnection">Another way to the source, for reads that are left to Odoo.</param>
    public static async Task<ApiBed> StartAsync(
        PipelineBed bed,
        CancellationToken ct,
        ApiOptions? options = null,
        string? engine = null,
        PipelineStatistics? statistics = null,
        KafkaPipelineBed? kafka = null,
        string? odooConnection = null
    )
    {
        var connectionString = engine ?? bed.Engine.ConnectionString;
        var (source, engineServer) = (Database.Source(bed.Source.ConnectionString), Database.Engine(connectionString));
        var log = kafka is null
            ? null
            : LogStatusReader.For(
                new CdcOptions { Log = kafka.Options.Log, Kafka = kafka.Kafka },
                bed.Entities,
                bed.Log,
                TimeProvider.System
            );
        var status = new StatusReader(
            source,
            engineServer,
            bed.SourceOptions.SlotName,
            new EngineStatusReader(bed.Entities, log is not null),
            log,
            TimeProvider.System
        );
        options ??= new ApiOptions();
        var odoo = new OdooReads(odooConnection ?? bed.Source.ConnectionString, options, TimeProvider.System);
        var parts = new ApiParts
        {
            EngineConnectionString = connectionString,
            Entities = bed.Entities,
            Status = status,
            SourceClock = new SourceClock(source),
            Odoo = odoo,
            Quarantine = new QuarantineActions(engineServer, bed.Entities),
            RunReports = new RunReports(engineServer),
            Schemas = new RegistryTable(engineServer.Connections),
            Loggers = new LoggerFactory([new RecordedLogs(bed.Log)]),
            Version = "test",
            Statistics = statistics,
            TopicOf = kafka is null ? null : kafka.Codec.TopicOf,
        };
        return new ApiBed(
            source,
            engineServer,
            odoo,
            log,
            await ApiHost.StartAsync(
                parts,
                options with
                {
                    Urls = options.Urls == new ApiOptions().Urls ? "http://127.0.0.1:0" : options.Urls,
                },
                ct
            )
        );
    }

    /// <summary>The status, the headers and the body as JSON (undefined where there is none).</summary>
    public async Task<Answer> GetAsync(string path, CancellationToken ct, params (string Name, string Value)[] headers) =>
        await SendAsync(HttpMethod.Get, path, null, headers, ct);

    public async Task<Answer> PostAsync(string path, string body, CancellationToken ct, params (string Name, string Value)[] headers) =>
        await SendAsync(HttpMethod.Post, path, body, headers, ct);

    /// <summary>Stops the server; answers under way are ended.</summary>
    public async Task StopAsync()
    {
        if (!Interlocked.Exchange(ref _stopped, true))
            await _host.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await StopAsync();
        _log?.Dispose();
        await _odoo.DisposeAsync();
        await _source.DisposeAsync();
        await _engine.DisposeAsync();
    }

    private async Task<Answer> SendAsync(
        HttpMethod method,
        string path,
        string? body,
        (string Name, string Value)[] headers,
        CancellationToken ct
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, MediaTypeHeaderValue.Parse("application/json"));
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Client.SendAsync(request, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        var all = response
            .Headers.Concat(response.Content.Headers)
            .ToDictionary(h => h.Key, h => string.Join(",", h.Value), StringComparer.OrdinalIgnoreCase);
        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return new Answer((int)response.StatusCode, all, text, isJson ? JsonDocument.Parse(text).RootElement : default);
    }

    private sealed class RecordedLogs(RecordedLog log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose() { }
    }
}

/// <summary>One answer of the Api.</summary>
public sealed record Answer(int Status, IReadOnlyDictionary<string, string> Headers, string Text, JsonElement Json)
{
    /// <summary>The last word of a problem's type; null: it is none.</summary>
    public string? Problem =>
        Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty("type", out var type) ? type.GetString()!.Split(':')[^1] : null;

    /// <summary>As text; null: it is null, or not there.</summary>
    public string? this[string name] =>
        Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value.ToString()
            : null;

    public override string ToString() => $"{Status} {Text}";
}
