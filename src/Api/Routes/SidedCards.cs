using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Api.Odoo;
using Cdc.Api.Problems;
using Cdc.Core.Progress;
using Cdc.Cutover.Plans;
using Cdc.Cutover.Routes;

namespace Cdc.Api.Routes;

/// <summary>An answer, and who gave it.</summary>
/// <param name="Fallback">Why it was not the other side, which was to answer; null: it was not.</param>
internal readonly record struct SidedCard(FoundCard Found, Problem? Problem, string Side, string? Fallback)
{
    public const string Engine = "engine";
    public const string Odoo = "odoo";
}

/// <summary>
/// Cards from the side that the running plan says. Where that side cannot answer, the other one does: Odoo is the truth for as long as only
/// reads are moved, and the engine follows it. Without a plan the engine answers.
/// </summary>
internal sealed class SidedCards(
    CardFinder finder,
    Router router,
    OdooCards odoo,
    SpendableJudge spendable,
    RoutedReads counted,
    ShadowReads shadow
)
{
    public Task<SidedCard> ByCodeAsync(AskedCode code, FreshnessDemand demand, string? service, CancellationToken ct) =>
        AnswerAsync(
            async d => await finder.ByCodeAsync(code, d, ct),
            id => id is { } known ? odoo.ByIdAsync(known, ct) : odoo.ByCodeAsync(code, ct),
            demand,
            service,
            ct
        );

    public Task<SidedCard> ByOdooIdAsync(int id, FreshnessDemand demand, string? service, CancellationToken ct) =>
        AnswerAsync(d => finder.ByOdooIdAsync(id, d, ct), _ => odoo.ByIdAsync(id, ct), demand, service, ct);

    private async Task<SidedCard> AnswerAsync(
        Func<FreshnessDemand, Task<(FoundCard Found, Problem? Problem)>> engine,
        Func<int?, Task<OdooCard?>> ofOdoo,
        FreshnessDemand demand,
        string? service,
        CancellationToken ct
    )
    {
        var sides = new Sides(engine, odoo.IsPossible ? ofOdoo : null, demand);
        var asked = router.RulesAsync(ct);
        // Where the rules have to be read, beside the card: an engine that hangs costs a request its time-out once.
        EngineAnswer? first = asked.IsCompleted ? null : await sides.EngineAsync(demand);
        if (await RulesAsync(asked) is not { } rules)
            return (first ?? await sides.EngineAsync(demand)).Sided(null);
        // Whose card it is, the engine knows from memory: what is demanded of the answer is asked of the side that gives it.
        var look = first is { CanAnswer: true } or { Unavailable: not null } ? first.Value : await sides.EngineAsync(FreshnessDemand.None);
        var answer =
            look.Problem is not null || look.Unavailable is not null ? await UnknownAsync(rules, sides, look, service)
            // A card that Odoo does not have is the engine's.
            : look.Found.Card is var card && card.OdooId is { } id && !rules.Of(id, card.CompanyId, service).ByEngine
                ? await ByOdooAsync(sides, look)
            : await ByEngineAsync(sides, look);
        counted.Add(answer.Side, answer.Fallback);
        if (answer is { Problem: null, Found.Card: { OdooId: { } read, CompanyId: var company } })
            shadow.Offer(rules.Of(read, company, service) is { Phase: not PlanPhase.Legacy } route ? route.Scope : null, read);
        return answer;
    }

    /// <summary>Null: no plan runs, or nobody knows of one, and then the engine cannot be asked for a card either.</summary>
    private static async ValueTask<RouteRules?> RulesAsync(ValueTask<RouteRules?> asked)
    {
        try
        {
            return await asked;
        }
        catch (EngineUnavailableException)
        {
            return null;
        }
    }

    private async Task<SidedCard> ByEngineAsync(Sides sides, EngineAnswer look)
    {
        var answer = sides.Demand.IsAny ? await sides.EngineAsync(sides.Demand) : look;
        if (answer.CanAnswer)
            return answer.Sided(null);
        var (card, _) = await sides.OdooAsync(look.Found.Card.OdooId);
        return card is null ? answer.Sided(null) : Sided(card, look.Found, answer.Why);
    }

    private async Task<SidedCard> ByOdooAsync(Sides sides, EngineAnswer look)
    {
        var (card, why) = await sides.OdooAsync(look.Found.Card.OdooId);
        if (card is not null)
            return Sided(card, look.Found, null);
        if (why is not null)
            return (await sides.EngineAsync(sides.Demand)).Sided(why);
        return new SidedCard(default, KnownProblems.CardNotInOdoo, SidedCard.Odoo, null);
    }

    /// <summary>The engine does not have it, or cannot say.</summary>
    private async Task<SidedCard> UnknownAsync(RouteRules rules, Sides sides, EngineAnswer look, string? service)
    {
        var (card, why) = await sides.OdooAsync(null);
        if (card is null)
        {
            // It may come to the engine while a demand is waited for.
            var last = why is not null && look.CanAnswer && sides.Demand.IsAny ? await sides.EngineAsync(sides.Demand) : look;
            return last.Sided(last.Unavailable is null ? null : why);
        }
        if (!rules.Of(card.Id, card.CompanyId, service).ByEngine)
            return Sided(card, null, null);
        // A card that Odoo has is there, whether or not it has come to the engine.
        return look is { CanAnswer: true, Problem.Status: not 404 } ? look.Sided(null) : Sided(card, null, look.Why);
    }

    private SidedCard Sided(OdooCard card, FoundCard? ofEngine, string? fallback)
    {
        var known = ofEngine?.Card;
        var row = new CardRow(
            card.Id,
            (int)card.Id,
            card.ProgramId,
            card.PartnerId,
            card.CompanyId,
            card.Code,
            card.Points,
            card.CreatedAt,
            card.UpdatedAt,
            known?.SyncVersion ?? 0,
            null,
            card.At,
            CardStatus.Current,
            null,
            default
        )
        {
            Warning = known?.Warning,
            // Of the program, what the engine knows.
            Terms = known?.Terms is { } terms ? terms with { IsArchived = !card.Active, LastDay = card.LastDay } : null,
        };
        return new SidedCard(
            // As min-position of the next request it keeps the engine from answering with something older.
            new FoundCard(row, new Freshness.Freshness(card.At, 0), Position(card, ofEngine), spendable.Of(row)),
            null,
            SidedCard.Odoo,
            fallback
        );
    }

    /// <summary>Null: of which generation it is, only the engine knows.</summary>
    private static AppliedThrough? Position(OdooCard card, FoundCard? ofEngine) =>
        ofEngine?.Through is { } through ? through with { Lsn = card.Written } : null;

    /// <summary>The two sides of one request.</summary>
    /// <param name="Odoo">Null: the declaration leaves it unable to answer.</param>
    private sealed record Sides(
        Func<FreshnessDemand, Task<(FoundCard Found, Problem? Problem)>> Engine,
        Func<int?, Task<OdooCard?>>? Odoo,
        FreshnessDemand Demand
    )
    {
        public async Task<EngineAnswer> EngineAsync(FreshnessDemand demand)
        {
            try
            {
                var (found, problem) = await Engine(demand);
                return new EngineAnswer(found, problem, null);
            }
            catch (EngineUnavailableException unavailable)
            {
                return new EngineAnswer(default, null, unavailable);
            }
        }

        /// <summary>The card; or why it cannot be said; neither: there is none.</summary>
        /// <param name="id">As the engine knows it: codes are another form there, which Odoo has no index for. Null: not known.</param>
        public async Task<(OdooCard? Card, string? Why)> OdooAsync(int? id)
        {
            try
            {
                return Odoo is null ? (null, "odoo-not-possible") : (await Odoo(id), null);
            }
            catch (OdooUnavailableException)
            {
                return (null, "odoo-unavailable");
            }
        }
    }

    private readonly record struct EngineAnswer(FoundCard Found, Problem? Problem, EngineUnavailableException? Unavailable)
    {
        /// <summary>False: another try may succeed, or another side.</summary>
        public bool CanAnswer => Unavailable is null && Problem?.Status != 503;

        public string Why => Problem?.Word ?? "engine-unavailable";

        public SidedCard Sided(string? fallback) =>
            new(Found, Unavailable is null ? Problem : KnownProblems.EngineUnavailable(Unavailable.Message), SidedCard.Engine, fallback);
    }
}
