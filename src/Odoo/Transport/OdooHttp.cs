using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using Cdc.Odoo.Failures;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;

namespace Cdc.Odoo.Transport;

/// <summary>
/// The HTTP client of one Odoo: its pace, its time-out, and what is repeated. A call that gets no answer is an exception.
/// </summary>
internal sealed class OdooHttp : IDisposable
{
    /// <summary>
    /// Shorter than any proxy's: one that closes an idle connection just when a call is sent makes the call one in doubt.
    /// </summary>
    private static readonly TimeSpan IdleConnection = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Connecting = TimeSpan.FromSeconds(10);

    private readonly CallPace _pace;
    private readonly HttpClient _http;
    private readonly Uri _address;
    private readonly TimeProvider _time;

    public OdooHttp(OdooOptions options, TimeProvider time, ILogger log)
    {
        _time = time;
        _address = new Uri(options.Url.TrimEnd('/') + "/");
        _pace = new CallPace(options.ParallelCalls, options.CallsPerSecond, time);
        var resilience = new CallResilience(options, time, log);
        var sockets = new SocketsHttpHandler
        {
            // A redirect would carry the key elsewhere, and turn a POST into a GET.
            AllowAutoRedirect = false,
            // Odoo gives a session cookie to each call of /jsonrpc; with it the next call would be another user's.
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.All,
            PooledConnectionIdleTimeout = IdleConnection,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = Connecting,
        };
        var attempt = new AttemptHandler { InnerHandler = sockets };
        var timeout = new ResilienceHandler(resilience.Timeout()) { InnerHandler = attempt };
        var paced = new PaceHandler(_pace) { InnerHandler = timeout };
        var repeats = new ResilienceHandler(resilience.Repeats()) { InnerHandler = paced };
        _http = new HttpClient(repeats) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public void Dispose()
    {
        _http.Dispose();
        _pace.Dispose();
    }

    /// <param name="body">Null: GET.</param>
    /// <param name="prepare">Headers.</param>
    /// <exception cref="OdooException">No answer came.</exception>
    public async Task<OdooReply> SendAsync(
        string path,
        byte[]? body,
        CallFacts facts,
        Action<HttpRequestHeaders>? prepare,
        CancellationToken ct
    )
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, new Uri(_address, path));
        request.Content = body is null ? null : new SentContent(body);
        request.Options.Set(AttemptHandler.Facts, facts);
        prepare?.Invoke(request.Headers);
        try
        {
            using var response = await _http.SendAsync(request, ct);
            return new OdooReply(
                (int)response.StatusCode,
                response.Content.Headers.ContentType?.MediaType,
                await response.Content.ReadAsByteArrayAsync(ct)
            )
            {
                Asked = request.RequestUri,
                Location = WithoutQuery(response.Headers.Location),
                RetryAfter = CallResilience.RetryAfter(response, _time),
            };
        }
        catch (Exception e) when (!ct.IsCancellationRequested && NetworkTable.Of(e) is { } failure)
        {
            throw new OdooException(failure, facts, inner: e);
        }
    }

    /// <summary>For messages: what follows may be a secret.</summary>
    private static Uri? WithoutQuery(Uri? location) =>
        location is { IsAbsoluteUri: true } ? new Uri(location.GetLeftPart(UriPartial.Path)) : null;
}
