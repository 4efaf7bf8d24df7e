using Cdc.Api.Balances;
using Cdc.Api.Problems;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Routes;

/// <summary>An answer with who gave it in its headers: <c>Cdc-Served-By</c>, and <c>Cdc-Fallback</c> where the other side was to.</summary>
internal sealed class SidedResult(SidedCard card, IResult inner) : IResult
{
    public static SidedResult Of<T>(SidedCard card, Func<FoundCard, T> view) =>
        new(
            card,
            card.Problem is { } problem ? new ProblemResult(problem)
                : card.Side == SidedCard.Engine ? new CardResult<T>(card.Found, view(card.Found))
                : new OdooResult<T>(card.Found, view(card.Found))
        );

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers["Cdc-Served-By"] = card.Side;
        if (card.Fallback is { } fallback)
            httpContext.Response.Headers["Cdc-Fallback"] = fallback;
        return inner.ExecuteAsync(httpContext);
    }

    /// <summary>Without an entity tag: nothing of Odoo's row says that it is the same as before.</summary>
    private sealed class OdooResult<T>(FoundCard found, T body) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            FreshnessHeaders.Set(httpContext.Response, found);
            return httpContext.Response.WriteAsJsonAsync(body, httpContext.RequestAborted);
        }
    }
}
