using System.Diagnostics;
using System.Text.Json.Nodes;
using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Api.Problems;
using Cdc.Core.Entities;
using Cdc.Engine.Tables;
using Cdc.Expressions.Rows;

namespace Cdc.Api.Balances;

/// <summary>A code that is asked for.</summary>
/// <param name="Written">As it was typed.</param>
/// <param name="Lookup">As cards are looked up by it.</param>
internal readonly record struct AskedCode(string Written, string Lookup);

/// <summary>
/// Finds cards as fresh as a request demands: from memory where that is enough, else from the engine, waiting where it must.
/// </summary>
internal sealed class CardFinder(
    CardReader reader,
    GatheredReads gathered,
    CardCache cache,
    DeclaredLookup lookup,
    FreshnessClock clock,
    MomentWatch moments,
    SpendableJudge spendable,
    ServedCards cards
)
{
    /// <summary>Above it no code can be meant; what is within it the declaration's rules judge.</summary>
    private const int LongestCode = 16_384;

    /// <summary>
    /// A card that is not current is read again when it is announced, and also at this interval: that a range has been loaded, or that a
    /// table is no longer stopped, is not announced for each card, and nothing arrives while the listener is not connected.
    /// </summary>
    private static readonly TimeSpan RecheckInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Several codes may share a form by which they are looked up: then the one that was written decides.</summary>
    private readonly bool _mayShare = cards.Card.ServedColumn("code") != cards.Column;

    public (AskedCode? Code, Problem? Problem) Normalize(string? code)
    {
        if (code is null || code.Length > LongestCode)
            return (null, KnownProblems.Invalid("code", "A code is a text, far shorter than this."));
        return lookup.TryNormalize(code, out var reason) is { } normalized
            ? (new AskedCode(code, normalized), null)
            : (null, KnownProblems.Invalid("code", $"No card can have this code: {reason.Message} ({reason.Name})."));
    }

    public ValueTask<(FoundCard Found, Problem? Problem)> ByCodeAsync(AskedCode code, FreshnessDemand demand, CancellationToken ct) =>
        FromMemory(code, demand) is { } kept ? new((kept, null)) : new(ReadByCodeAsync(code, demand, ct));

    /// <summary>With program and partner, as of the same moment.</summary>
    public Task<(FoundCard Found, Problem? Problem)> ExpandedAsync(AskedCode code, FreshnessDemand demand, CancellationToken ct) =>
        FindAsync(code, async d => Meant(code, await reader.ExpandedAsync(code.Lookup, d, ct)), demand, ct);

    public Task<(FoundCard Found, Problem? Problem)> ByOdooIdAsync(int id, FreshnessDemand demand, CancellationToken ct) =>
        FindAsync(null, d => reader.ByOdooIdAsync(id, d, ct), demand, ct);

    /// <summary>
    /// All from memory, or the rest with one question. Waits for the demanded position, but not for a card to become current.
    /// </summary>
    /// <param name="codes">Without repetition.</param>
    public async Task<Dictionary<AskedCode, (FoundCard Found, Problem? Problem)>> ByCodesAsync(
        IReadOnlyList<AskedCode> codes,
        FreshnessDemand demand,
        CancellationToken ct
    )
    {
        var found = new Dictionary<AskedCode, (FoundCard, Problem?)>(codes.Count);
        var rest = new List<AskedCode>();
        foreach (var code in codes)
            if (FromMemory(code, demand) is { } there)
                found[code] = (there, null);
            else
                rest.Add(code);
        if (rest.Count == 0)
            return found;
        List<string> lookups = [.. rest.Select(c => c.Lookup).Distinct()];
        var answers = await reader.ByCodesAsync(lookups, demand, ct);
        var problem = await ReachAsync(demand, answers[0].Moment, ct);
        if (problem is null && !demand.IsReachedBy(answers[0].Moment))
            answers = await reader.ByCodesAsync(lookups, demand.OfEngine, ct);
        var answerOf = lookups.Zip(answers).ToDictionary(p => p.First, p => p.Second);
        foreach (var code in rest)
            found[code] = problem is null ? await JudgeAsync(code, Meant(code, answerOf[code.Lookup]), demand, ct) : (default, problem);
        return found;
    }

    /// <summary>Call this for every answer that is given.</summary>
    public FoundCard Dated(CardRow card, EngineMoment moment) => Dated(card, moment, FreshnessDemand.None);

    private FoundCard Dated(CardRow card, EngineMoment moment, FreshnessDemand demand) =>
        new(
            card,
            card.IsCurrent ? clock.Issue(MomentToIssue(moment, card.CommitAt, demand)) : clock.Of(card.CommitAt),
            moment.Through,
            spendable.Of(card)
        );

    /// <summary>
    /// What is kept is dated by the last beat, so what was read since is dated by it too, where that is correct. Dated by its own
    /// moment, it would make all that is kept too old to be answered until the next beat: no answer is dated before one that was given.
    /// </summary>
    private EngineMoment MomentToIssue(EngineMoment moment, DateTimeOffset? atLeast, FreshnessDemand demand)
    {
        if (cache.Verified is not { } beat || EngineMoment.Earlier(beat, moment) != beat || !clock.IsNotBeforeIssued(beat))
            return moment;
        var freshness = clock.At(beat);
        return !(freshness.AsOf < atLeast) && demand.IsFreshEnough(freshness) ? beat : moment;
    }

    private Task<(FoundCard, Problem?)> ReadByCodeAsync(AskedCode code, FreshnessDemand demand, CancellationToken ct) =>
        FindAsync(code, async d => Meant(code, await gathered.ByCodeAsync(code.Lookup, d, ct)), demand, ct);

    /// <summary>Of several cards the one whose code is what was written. Without such a one it is not guessed which is meant.</summary>
    private static CardAnswer Meant(AskedCode code, CardAnswer answer) =>
        answer.Cards.Count > 1 && answer.Cards.Where(c => c.Code == code.Written).ToList() is [var exact]
            ? answer with
            {
                Cards = [exact],
            }
            : answer;

    private async Task<(FoundCard, Problem?)> FindAsync(
        AskedCode? code,
        Func<FreshnessDemand, Task<CardAnswer>> read,
        FreshnessDemand demand,
        CancellationToken ct
    )
    {
        var began = Stopwatch.GetTimestamp();
        var answer = await read(demand);
        if (await ReachAsync(demand, answer.Moment, ct) is { } problem)
            return (default, problem);
        if (!demand.IsReachedBy(answer.Moment))
            answer = await read(demand.OfEngine);
        if (ShortfallOf(answer, demand) != Shortfall.None)
            answer = await WaitAsync(answer, () => read(demand.OfEngine), demand, began, ct);
        return await JudgeAsync(code, answer, demand, ct);
    }

    private FoundCard? FromMemory(AskedCode code, FreshnessDemand demand) =>
        cache.Find(code.Lookup) is { } kept && demand.IsMetBy(kept.Moment, clock) && spendable.IsToday(kept.Card.PointsOn)
            ? Dated(kept.Card, kept.Moment, demand)
            : null;

    /// <summary>Waits for the demanded position. Null: it is reached, maybe only now.</summary>
    private async Task<Problem?> ReachAsync(FreshnessDemand demand, EngineMoment moment, CancellationToken ct)
    {
        if (demand.MinPosition is not { } least || least.IsReachedBy(moment.Through))
            return null;
        if (!least.IsOfGeneration(moment.Through))
            return KnownProblems.OtherGeneration(moment.Through);
        // A position without a generation means the current one: a generation that begins during the wait does not reach it.
        least = least with
        {
            Generation = moment.Through.Generation,
        };
        var there = await moments.WaitAsync(m => least.IsReachedBy(m.Through) || !least.IsOfGeneration(m.Through), demand.Wait, ct);
        return there is null ? KnownProblems.NotReached(moment.Through)
            : least.IsReachedBy(there.Through) ? null
            : KnownProblems.OtherGeneration(there.Through);
    }

    /// <summary>Waits for a card that is being read again, or for an engine that catches up.</summary>
    /// <returns>The last answer that was read.</returns>
    private async Task<CardAnswer> WaitAsync(
        CardAnswer answer,
        Func<Task<CardAnswer>> read,
        FreshnessDemand demand,
        long began,
        CancellationToken ct
    )
    {
        using var changes = cache.Changes.Of(answer.Cards[0].Id);
        for (var announced = true; demand.Wait - Stopwatch.GetElapsedTime(began) is var left && left > TimeSpan.Zero; announced = false)
        {
            var shortfall = ShortfallOf(answer, demand);
            if (shortfall == Shortfall.None)
                return answer;
            if (shortfall == Shortfall.TooStale)
                await moments.WaitAsync(moment => demand.IsFreshEnough(clock.At(moment)), left, ct);
            // The first time it may have been announced between the reading and the subscription.
            else if (!announced)
                await changes.WaitAsync(left < RecheckInterval ? left : RecheckInterval, ct);
            answer = await read();
        }
        return answer;
    }

    private enum Shortfall
    {
        /// <summary>The card can be answered; or there is none, or more than one, which waiting does not change.</summary>
        None,
        NotCurrent,
        TooStale,
    }

    private Shortfall ShortfallOf(CardAnswer answer, FreshnessDemand demand) =>
        !demand.IsAny || answer.Cards is not [var card] ? Shortfall.None
        : !card.IsCurrent ? Shortfall.NotCurrent
        : demand.IsFreshEnough(clock.At(MomentToIssue(answer.Moment, card.CommitAt, demand))) ? Shortfall.None
        : Shortfall.TooStale;

    private async Task<(FoundCard Found, Problem? Problem)> JudgeAsync(
        AskedCode? code,
        CardAnswer answer,
        FreshnessDemand demand,
        CancellationToken ct
    )
    {
        // It was reached before: the engine began another generation since, or is another one.
        if (!demand.IsReachedBy(answer.Moment))
            return (default, KnownProblems.OtherGeneration(answer.Moment.Through));
        if (answer.Cards.Count > 1)
            return (default, KnownProblems.CodeAmbiguous(answer.Cards.Select(c => c.Id)));
        if (answer.Cards.Count == 0)
            return (default, await MissingAsync(code, answer, ct));
        // While cards are still loaded, the one whose code was written may be to come.
        if (_mayShare && code is { } asked && answer.Cards[0].Code != asked.Written && !IsLoaded(answer.Moment))
            return (default, KnownProblems.CardsNotLoaded(answer.Moment.TableState));
        var found = Dated(answer.Cards[0], answer.Moment, demand);
        if (demand.IsAny && !found.Card.IsCurrent)
            return (default, KnownProblems.CardNotCurrent(found.Card.Status, found.Card.Reason));
        if (!demand.IsFreshEnough(found.Freshness))
            return (default, KnownProblems.TooStale(found.Freshness.LagSeconds));
        return (found, null);
    }

    private static bool IsLoaded(EngineMoment moment) =>
        moment is { State: SourceState.Streaming or SourceState.Gap, TableState: TableState.Streaming or TableState.Held };

    private async Task<Problem> MissingAsync(AskedCode? code, CardAnswer answer, CancellationToken ct)
    {
        var reason = answer.QuarantineReason ?? (code is { } asked ? await reader.QuarantinedAsync(asked.Lookup, ct) : null);
        if (reason is not null)
            return KnownProblems.CardQuarantined(reason);
        if (!IsLoaded(answer.Moment))
            return KnownProblems.CardsNotLoaded(answer.Moment.TableState);
        var freshness = clock.Issue(MomentToIssue(answer.Moment, null, FreshnessDemand.None));
        return KnownProblems.CardNotFound(
            new JsonObject
            {
                ["asOf"] = freshness.AsOf,
                ["lagSeconds"] = freshness.LagSeconds,
                ["through"] = answer.Moment.Through.ToString(),
            }
        );
    }
}
