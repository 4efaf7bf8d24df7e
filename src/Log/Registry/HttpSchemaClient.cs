using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cdc.Core.Failures;
using Cdc.Core.Schemas;
using Polly;
using Polly.Retry;

namespace Cdc.Log.Registry;

/// <summary>A registry that speaks Confluent's protocol.</summary>
internal sealed class HttpSchemaClient : ISchemaClient, IDisposable
{
    private const string ContentType = "application/vnd.schemaregistry.v1+json";
    private const int Attempts = 3;

    private readonly HttpClient _http;
    private readonly ResiliencePipeline _patience;

    /// <exception cref="CdcException">Configuration: the certificates cannot be read.</exception>
    public HttpSchemaClient(RegistryOptions options)
    {
        // A base address keeps its path only with a slash at its end.
        _http = new HttpClient(Handler(options)) { BaseAddress = new Uri(options.Url.TrimEnd('/') + "/"), Timeout = options.Timeout };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue(ContentType));
        if (options.Username.Length > 0)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.Username}:{options.Password}"))
            );
        _patience = new ResiliencePipelineBuilder()
            .AddRetry(
                new RetryStrategyOptions
                {
                    MaxRetryAttempts = Attempts,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = TimeSpan.FromMilliseconds(100),
                    ShouldHandle = new PredicateBuilder().Handle<CdcException>(e => e.Kind == FailureKind.Unavailable),
                }
            )
            .Build();
    }

    public async ValueTask<int> RegisterAsync(string subject, string schema, CancellationToken ct)
    {
        var (status, answer) = await AskAsync(
                HttpMethod.Post,
                $"subjects/{Uri.EscapeDataString(subject)}/versions",
                new JsonObject { ["schema"] = schema },
                ct
            )
            .ConfigureAwait(false);
        if (status is HttpStatusCode.OK && answer["id"] is JsonValue value && value.TryGetValue<int>(out var id))
            return id;
        throw status is HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity
            ? SchemaRefusal.Of(subject, Message(answer))
            : Unexpected(status, answer);
    }

    public async ValueTask<string?> FindAsync(int id, CancellationToken ct)
    {
        var (status, answer) = await AskAsync(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"schemas/ids/{id}"), null, ct)
            .ConfigureAwait(false);
        if (status is HttpStatusCode.OK && answer["schema"] is JsonValue value && value.TryGetValue<string>(out var schema))
            return schema;
        return
            answer["error_code"] is JsonValue code
            && code.TryGetValue<int>(out var number)
            && number == SchemaRegistryException.SchemaNotFound
            ? null
            : throw Unexpected(status, answer);
    }

    public void Dispose() => _http.Dispose();

    private ValueTask<(HttpStatusCode Status, JsonObject Answer)> AskAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        CancellationToken ct
    ) => _patience.ExecuteAsync(token => AskOnceAsync(method, path, body, token), ct);

    private async ValueTask<(HttpStatusCode, JsonObject)> AskOnceAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        CancellationToken ct
    )
    {
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
                request.Content = new StringContent(body.ToJsonString(), MediaTypeHeaderValue.Parse(ContentType));
            using var response = await _http.SendAsync(request, ct).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(ct).ConfigureAwait(false);
            if ((int)response.StatusCode >= 500 || response.StatusCode is HttpStatusCode.TooManyRequests)
                throw Unavailable($"it answers {(int)response.StatusCode}");
            return (
                response.StatusCode,
                ObjectIn(text) ?? (response.IsSuccessStatusCode ? throw Unavailable("it answers something else than JSON") : [])
            );
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw Unavailable(e is OperationCanceledException ? "it does not answer in time" : e.Message, e);
        }
    }

    private static JsonObject? ObjectIn(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private CdcException Unavailable(string why, Exception? inner = null) =>
        new(
            FailureKind.Unavailable,
            $"The schema registry at {_http.BaseAddress} cannot be asked: {why}.",
            "Start it, or mend Registry:Url. What was registered before goes on meanwhile.",
            inner
        );

    private CdcException Unexpected(HttpStatusCode status, JsonObject answer) =>
        new(
            FailureKind.Configuration,
            $"The schema registry at {_http.BaseAddress} answers {(int)status}: {Message(answer)}",
            "Mend Registry:Url, Registry:Username and Registry:Password, or the rights of that user."
        );

    private static string Message(JsonObject answer) =>
        answer["message"] is JsonValue value && value.TryGetValue<string>(out var message) ? message : "(no message)";

    private static SocketsHttpHandler Handler(RegistryOptions options)
    {
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (options.CaCertificate.Length == 0)
            return handler;
        var trusted = new X509Certificate2Collection();
        try
        {
            trusted.ImportFromPemFile(options.CaCertificate);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CdcException(
                FailureKind.Configuration,
                $"Registry:CaCertificate cannot be read: {e.Message}",
                "Name a PEM file of certificates.",
                e
            );
        }
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(trusted);
        return handler;
    }
}
