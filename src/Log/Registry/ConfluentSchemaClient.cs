using System.Globalization;
using System.Net;
using Cdc.Core.Failures;
using Confluent.SchemaRegistry;
using Newtonsoft.Json;

namespace Cdc.Log.Registry;

/// <summary>
/// A registry that speaks Confluent's protocol, by Confluent's own client: several addresses, retries, mTLS and OAuth are its.
/// </summary>
internal sealed class ConfluentSchemaClient : ISchemaClient, IDisposable
{
    private readonly string _url;
    private readonly CachedSchemaRegistryClient _registry;

    /// <exception cref="CdcException">Configuration: the certificates cannot be read, or a setting is unknown or refused.</exception>
    public ConfluentSchemaClient(RegistryOptions options)
    {
        _url = options.Url;
        _registry = RegistrySettings.Client(options);
    }

    public async ValueTask<int> RegisterAsync(string subject, string schema, CancellationToken ct)
    {
        try
        {
            var registered = await AskAsync(() => _registry.RegisterSchemaAsync(subject, new Schema(schema, SchemaType.Avro)), ct);
            return registered > 0 ? registered : throw Unexpected("200: an answer without an id");
        }
        catch (SchemaRegistryException e) when (e.Status is HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity)
        {
            throw SchemaRefusal.Of(subject, e.Message, e);
        }
        catch (SchemaRegistryException e)
        {
            throw Unexpected(e);
        }
    }

    public async ValueTask<string?> FindAsync(int id, CancellationToken ct)
    {
        try
        {
            var schema = await AskAsync(() => _registry.GetSchemaAsync(id), ct);
            return schema.SchemaString ?? throw Unexpected("200: an answer without a schema");
        }
        catch (SchemaRegistryException e) when (e.ErrorCode == Core.Schemas.SchemaRegistryException.SchemaNotFound)
        {
            return null;
        }
        catch (SchemaRegistryException e)
        {
            throw Unexpected(e);
        }
    }

    public void Dispose() => _registry.Dispose();

    /// <summary>
    /// Confluent's client takes no cancellation: we stop waiting for the answer, and the request ends later, at the latest with
    /// its time-outs.
    /// </summary>
    /// <exception cref="SchemaRegistryException">The registry has answered, and would answer the same again.</exception>
    private async Task<T> AskAsync<T>(Func<Task<T>> ask, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        try
        {
            return await ask().WaitAsync(ct);
        }
        catch (SchemaRegistryException e) when (IsPassing(e.Status))
        {
            throw Unavailable(string.Create(CultureInfo.InvariantCulture, $"it answers {(int)e.Status}"), e);
        }
        // A refusal whose body is no JSON, such as a proxy's: the client reports it as if the network had failed.
        catch (HttpRequestException e) when (e is not SchemaRegistryException && Causes(e).Any(c => c is JsonException))
        {
            throw Unexpected("401: Unauthorized", e);
        }
        catch (Exception e) when (e is HttpRequestException and not SchemaRegistryException or IOException)
        {
            throw Unavailable(Causes(e).Any(c => c is OperationCanceledException) ? "it does not answer in time" : e.Message, e);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw Unavailable("it does not answer in time", e);
        }
        catch (JsonException e)
        {
            throw Unavailable("it answers something else than JSON", e);
        }
    }

    /// <summary>A registry, or a proxy before it, that may answer otherwise later.</summary>
    private static bool IsPassing(HttpStatusCode status) =>
        (int)status >= 500 || status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout;

    private static IEnumerable<Exception> Causes(Exception e) =>
        e is AggregateException several ? several.InnerExceptions.SelectMany(Causes)
        : e.InnerException is { } inner ? Causes(inner).Prepend(e)
        : [e];

    private CdcException Unavailable(string why, Exception inner) =>
        new(
            FailureKind.Unavailable,
            $"The schema registry at {_url} cannot be asked: {why}.",
            "Start it, or correct Registry:Url. What was registered before goes on meanwhile.",
            inner
        );

    private CdcException Unexpected(SchemaRegistryException e) =>
        Unexpected(string.Create(CultureInfo.InvariantCulture, $"{(int)e.Status}: {e.Message}"), e);

    private CdcException Unexpected(string answer, Exception? inner = null) =>
        new(
            FailureKind.Configuration,
            $"The schema registry at {_url} answers {answer}",
            "Correct Registry:Url, Registry:Username and Registry:Password or the credentials of Registry:Client, "
                + "or the rights of that user.",
            inner
        );
}
