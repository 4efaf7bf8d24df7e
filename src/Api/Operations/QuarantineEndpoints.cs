using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cdc.Api.Problems;
using Cdc.Api.Security;
using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Operations;

/// <summary>Rows that could not be applied.</summary>
internal static class QuarantineEndpoints
{
    private const int MostShown = 1_000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var quarantine = routes.MapGroup("/quarantine").WithTags("Quarantine").ProducesProblem(422).ProducesProblem(503);
        quarantine
            .MapGet("", ListAsync)
            .Needs(Scopes.Read)
            .WithSummary("Entries, oldest first, without their values; ?entity= and ?limit=.")
            .Produces<QuarantineList>();
        quarantine
            .MapGet("/{entity}/{key}", ShowAsync)
            .Needs(Scopes.Operate)
            .WithSummary("One entry, with the values of Odoo's row and what can be done.")
            .Produces<QuarantineDetail>()
            .ProducesProblem(404);
        quarantine
            .MapPost(
                "/{entity}/{key}/retry",
                (string entity, string key, IQuarantineActions quarantine, ApiParts parts, CancellationToken ct) =>
                    ChangeAsync(entity, key, parts, quarantine.RetryAsync, ct)
            )
            .Needs(Scopes.Operate)
            .WithSummary("Has the row read again from Odoo.")
            .Produces<QuarantineChange>()
            .ProducesProblem(404);
        quarantine
            .MapPost(
                "/{entity}/{key}/discard",
                (string entity, string key, IQuarantineActions quarantine, ApiParts parts, CancellationToken ct) =>
                    ChangeAsync(entity, key, parts, quarantine.DiscardAsync, ct)
            )
            .Needs(Scopes.Operate)
            .WithSummary("Forgets the entry: the engine keeps the row it had, or none.")
            .Produces<QuarantineChange>()
            .ProducesProblem(404);
    }

    private static async Task<IResult> ListAsync(
        string? entity,
        string? limit,
        IQuarantineActions quarantine,
        ApiParts parts,
        CancellationToken ct
    )
    {
        var shown = 100;
        if (
            limit is not null
            && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out shown) || shown is < 1 or > MostShown)
        )
            return new ProblemResult(KnownProblems.Invalid("limit", $"limit is a number from 1 to {MostShown}."));
        if (entity is not null && parts.Entities.Find(entity) is null)
            return new ProblemResult(KnownProblems.Invalid("entity", "There is no such entity."));
        var (entries, total) = await quarantine.ListAsync(
            new QuarantineFilter(entity is null ? null : parts.Entities.Find(entity)!.Name, []),
            shown,
            ct
        );
        return Results.Json(new QuarantineList(total, [.. entries.Select(e => e with { SourceRow = null })]));
    }

    private static async Task<IResult> ShowAsync(
        string entity,
        string key,
        IQuarantineActions quarantine,
        ApiParts parts,
        CancellationToken ct
    )
    {
        if (parts.Entities.Find(entity) is not { } declared || KeyText.Parse(key, declared) is not { } row)
            return new ProblemResult(NotThere);
        var (entries, _) = await quarantine.ListAsync(new QuarantineFilter(declared.Name, [row]), 1, ct);
        if (entries is not [var entry])
            return new ProblemResult(NotThere);
        var (because, whatToDo) = quarantine.Explain(entry);
        return Results.Json(new QuarantineDetail(entry, because, whatToDo));
    }

    private static async Task<IResult> ChangeAsync(
        string entity,
        string key,
        ApiParts parts,
        Func<QuarantineFilter, CancellationToken, Task<long>> change,
        CancellationToken ct
    )
    {
        if (parts.Entities.Find(entity) is not { } declared || KeyText.Parse(key, declared) is not { } row)
            return new ProblemResult(NotThere);
        var changed = await change(new QuarantineFilter(declared.Name, [row]), ct);
        return changed == 0 ? new ProblemResult(NotThere) : Results.Json(new QuarantineChange(declared.Name, row, changed));
    }

    private static Problem NotThere => KnownProblems.NotFound("That row is not in quarantine.");
}

internal sealed record QuarantineList(long Total, IReadOnlyList<QuarantineEntry> Entries);

internal sealed record QuarantineDetail(QuarantineEntry Entry, string Because, IReadOnlyList<string> WhatToDo);

internal sealed record QuarantineChange(string Entity, [property: JsonConverter(typeof(KeyJsonConverter))] long Key, long Changed);
