using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Cdc.Api.Problems;
using Cdc.Api.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Cdc.Api.Page;

/// <summary>
/// What the page shows, as server-sent events. A client that reconnects sends Last-Event-ID and gets the events after it.
/// </summary>
internal static class LiveEndpoint
{
    private const int MostViewers = 200;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/live", Answer)
            .Watches()
            // It lasts as long as the page is open, which is no duration of a request.
            .DisableHttpMetrics()
            .WithTags("Operations")
            .WithSummary("Lag, throughput, latency and status every second, as server-sent events; resumes by Last-Event-ID.")
            .Produces<LiveTick>(200, "text/event-stream")
            .ProducesProblem(429);

    private static IResult Answer(HttpContext http, LiveBoard board, KeyRing keys, IHostApplicationLifetime life)
    {
        if (board.Viewers >= MostViewers)
            return new ProblemResult(KnownProblems.TooManyViewers);
        // A buffering proxy would delay events.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.ServerSentEvents(
            TicksAsync(
                (string?)http.Request.Headers["Last-Event-ID"],
                Caller.Of(http),
                board,
                keys,
                life.ApplicationStopping,
                http.RequestAborted
            )
        );
    }

    /// <summary>Ends when the server stops, the viewer goes, or the viewer's key is revoked.</summary>
    private static async IAsyncEnumerable<SseItem<LiveTick>> TicksAsync(
        string? lastId,
        Caller caller,
        LiveBoard board,
        KeyRing keys,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken ct
    )
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping, ct);
        using var viewer = board.Watch();
        while (await NextAsync(board, lastId, ended.Token) is { } next && keys.MayStay(caller))
        {
            lastId = next.Id;
            yield return new SseItem<LiveTick>(next.Tick) { EventId = next.Id };
        }
    }

    private static async Task<(string Id, LiveTick Tick)?> NextAsync(LiveBoard board, string? lastId, CancellationToken ended)
    {
        try
        {
            return await board.NextAsync(lastId, ended);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
