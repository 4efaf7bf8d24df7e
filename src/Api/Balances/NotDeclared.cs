using Cdc.Api.Problems;
using Cdc.Api.Security;
using Cdc.Core.Entities;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Balances;

/// <summary>Answers of what the declaration does not have: a path that is known, and why there is nothing at it.</summary>
internal static class NotDeclared
{
    /// <summary>Everything about cards, where none are declared.</summary>
    public static void MapCards(IEndpointRouteBuilder routes)
    {
        Map(routes, "/cards/{**rest}", ServedRole.Card);
        Map(routes, "/partners/{**rest}", ServedRole.Card);
    }

    /// <param name="what">A role, or a part of one.</param>
    public static void Map(IEndpointRouteBuilder routes, string path, string what) =>
        routes
            .Map(path, http => new ProblemResult(KnownProblems.NotDeclared(what)).ExecuteAsync(http))
            .Needs(Scopes.Read)
            .WithMetadata(new Microsoft.AspNetCore.Routing.ExcludeFromDescriptionAttribute());
}
