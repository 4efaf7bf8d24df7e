using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Metrics;

/// <summary>Measures requests by route, never by path.</summary>
internal sealed class RequestTiming(ApiMeter meter) : IMiddleware
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            if (context.GetEndpoint()?.Metadata.GetMetadata<Endless>() is null)
                meter.RequestDuration.Record(
                    Stopwatch.GetElapsedTime(began).TotalSeconds,
                    new("route", (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none"),
                    new("method", Method(context.Request.Method)),
                    new("status", context.Response.StatusCode)
                );
        }
    }

    /// <summary>Anybody can invent a method: each would be a series.</summary>
    private static string Method(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsPost(method) || HttpMethods.IsHead(method) ? method : "other";
}
