using System.Text.Json.Nodes;
using Cdc.Core.Progress;
using Cdc.Engine.Tables;

namespace Cdc.Api.Problems;

/// <summary>All problems that this Api answers with.</summary>
internal static class KnownProblems
{
    public static Problem NotFound(string what) => new(404, "not-found", "Not found", what);

    public static Problem CardNotFound(JsonObject freshness) =>
        new(404, "card-not-found", "No such card", "The engine has no such card as of asOf.", More: freshness);

    public static Problem CardNotInOdoo { get; } =
        new(404, "card-not-found", "No such card", "Odoo, which answers for this card, has no such card any more.");

    public static Problem Invalid(string what, string detail) => new(422, "invalid-" + what, "The request cannot be understood", detail);

    /// <param name="what">A role of an entity, or a part of one.</param>
    public static Problem NotDeclared(string what) =>
        new(
            404,
            "not-declared",
            "Not declared",
            $"The entities declaration has nothing that serves as {what}: this Odoo may have none, or another preset has it (docs/odoo.md)."
        );

    public static Problem CodeAmbiguous(IEnumerable<long> cardIds) =>
        new(
            409,
            "code-ambiguous",
            "Several cards have this code",
            "Ask by id, or with the code exactly as Odoo has it: a balance is never guessed. Codes are not unique while Odoo swaps two of "
                + "them, or when two differ only in case or blanks.",
            More: new JsonObject { ["cardIds"] = new JsonArray([.. cardIds.Select(id => (JsonNode)id)]) }
        );

    public static Problem CardQuarantined(string reason) =>
        new(
            409,
            "card-quarantined",
            "The card is in quarantine",
            "The card exists in Odoo, but it could not be applied and the engine has no older version of it.",
            More: new JsonObject { ["reason"] = reason }
        );

    public static Problem OtherGeneration(AppliedThrough there) =>
        new(
            409,
            "other-generation",
            "Positions of another generation",
            "The engine began another generation since that position was given: take a new position.",
            More: new JsonObject { ["through"] = there.ToString() }
        );

    public static Problem NotReached(AppliedThrough? there) =>
        new(
            503,
            "position-not-reached",
            "Not applied yet",
            "The engine has not reached min-position yet.",
            RetryAfter: 1,
            More: new JsonObject { ["through"] = there?.ToString() }
        );

    public static Problem TooStale(double? lagSeconds) =>
        new(
            503,
            "too-stale",
            "Older than max-staleness allows",
            "The engine is further behind Odoo than this request allows.",
            RetryAfter: 1,
            More: new JsonObject { ["lagSeconds"] = lagSeconds }
        );

    public static Problem CardNotCurrent(string status, string? reason) =>
        new(
            503,
            "card-not-current",
            "The card is not up to date",
            "The engine's version of this card is known to be older than Odoo's, and the request demands a fresh one.",
            RetryAfter: 5,
            More: new JsonObject { ["cardStatus"] = status, ["reason"] = reason }
        );

    public static Problem CardsNotLoaded(TableState? state) =>
        new(
            503,
            "cards-not-loaded",
            "Cards are not all there yet",
            state == TableState.Stopped
                ? "The cards' table is stopped: whether this card exists in Odoo is not known. See /status."
                : "The cards are still being loaded: whether this one exists in Odoo is not known yet.",
            RetryAfter: 5,
            More: new JsonObject { ["tableState"] = state?.Word() }
        );

    public static Problem EngineUnavailable(string why) =>
        new(503, "engine-unavailable", "The engine is not available", why, RetryAfter: 1);

    public static Problem TooManyRequests(int seconds) =>
        new(429, "too-many-requests", "Too many requests", "This key has used up its requests for now.", RetryAfter: seconds);

    public static Problem TooManyViewers { get; } =
        new(429, "too-many-requests", "Too many viewers", "The page has as many viewers as it may have.", RetryAfter: 10);

    public static Problem KeyNeeded { get; } =
        new(
            401,
            "key-needed",
            "A key is needed",
            "Send a valid key as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'. 'cdc keys create' makes one."
        );

    public static Problem KeysUnknown { get; } =
        EngineUnavailable(
            "Since this process started the engine could not be read, so keys are not known. Health is answered, and on this machine status "
                + "and metrics."
        );

    public static Problem OnlyLocal { get; } =
        new(
            403,
            "only-local",
            "Only from this machine",
            "There are no keys yet, so requests are answered only on this machine and not for pages of other sites. 'cdc keys create' "
                + "makes a key."
        );

    public static Problem ScopeNeeded(string scope) =>
        new(403, "scope-needed", "This key may not do that", $"The key does not have the scope '{scope}'.");

    public static Problem Unexpected { get; } =
        new(500, "unexpected", "A defect", "Something failed that should not. The log of cdc says more.");

    public static Problem Http(int status) =>
        new(
            status,
            "http-" + status,
            Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status),
            status switch
            {
                405 => "This path has other methods: see /openapi/v1.json, and the header Allow.",
                415 => "Send the header 'Content-Type: application/json' with the body.",
                _ => "See RFC 9110.",
            }
        );
}
