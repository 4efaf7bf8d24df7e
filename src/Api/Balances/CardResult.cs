using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Cdc.Api.Balances;

/// <summary>A card's answer with its freshness in the headers too; 304 where the caller has this version of it.</summary>
internal sealed class CardResult<T>(FoundCard found, T body) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var (request, response) = (httpContext.Request, httpContext.Response);
        FreshnessHeaders.Set(response, found);
        var etag = found.Card.ETag(found.Spendable);
        response.Headers.ETag = etag;
        if (IsKnown(request, etag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        return response.WriteAsJsonAsync(body, httpContext.RequestAborted);
    }

    /// <summary>What is no list of entity tags is no condition.</summary>
    private static bool IsKnown(HttpRequest request, string etag) =>
        request.Headers.IfNoneMatch is { Count: > 0 } header
        && EntityTagHeaderValue.TryParseList(header, out var known)
        && known.Any(k =>
            k.Equals(EntityTagHeaderValue.Any) || k.Compare(new EntityTagHeaderValue(etag[2..], isWeak: true), useStrongComparison: false)
        );
}

internal static class FreshnessHeaders
{
    public static void Set(HttpResponse response, FoundCard found)
    {
        var headers = response.Headers;
        // A proxy may keep it, but must ask each time whether it is still current.
        headers.CacheControl = "private, no-cache";
        if (found.Through is { } through)
            headers["Cdc-Through"] = through.ToString();
        headers["Cdc-Card-Status"] = found.Card.Status;
        if (found.Card.Position is { } position)
            headers["Cdc-Position"] = position.ToString();
        if (found.Freshness.AsOf is { } asOf)
            headers["Cdc-As-Of"] = asOf.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        if (found.Freshness.LagSeconds is { } lag)
            headers["Cdc-Lag-Seconds"] = lag.ToString(CultureInfo.InvariantCulture);
    }
}
