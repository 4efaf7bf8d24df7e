using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Problems;

internal static class ProblemMetadata
{
    /// <summary>For the description of the interface.</summary>
    public static RouteHandlerBuilder ProducesCardProblems(this RouteHandlerBuilder route)
    {
        foreach (var status in (int[])[404, 409, 422, 429, 503])
            route.ProducesProblem(status);
        return route;
    }
}
