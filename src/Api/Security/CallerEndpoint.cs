using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Security;

/// <summary>What a caller may do.</summary>
internal static class CallerEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/caller", (HttpContext http) => Results.Json(CallerView.Of(Caller.Of(http))))
            .Needs([.. Scopes.All])
            .WithMetadata(new WatchesPipeline())
            .WithTags("Operations")
            .WithSummary("Name and scopes of the key that is sent.")
            .Produces<CallerView>();
}

/// <param name="Name">As it is recorded with every change: the key's name and id, or local where no key was ever made.</param>
internal sealed record CallerView(string Name, IReadOnlyList<string> Scopes)
{
    public static CallerView Of(Caller caller) => new(caller.Name, [.. Security.Scopes.All.Where(s => caller.Has([s]))]);
}
