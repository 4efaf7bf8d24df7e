using System.Text.Json.Nodes;
using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Api.Problems;
using Cdc.Core.Entities;
using Cdc.Core.Progress;
using Cdc.Expressions.Rows;

namespace Cdc.Api.Balances;

/// <summary>Finds cards as fresh as a request demands: from memory where that is enough, else from the engine, waiting where it must.</summary>
internal sealed class CardDesk(
    CardReader reader,
    GatheredReads gathered,
    CardCache cache,
    DeclaredLookup lookup,
    FreshnessClock clock,
    ThroughWatch watch
)
{
    /// <summary>Above it no code can be meant; what is within it the declaration's rules judge.</summary>
    private const int LongestCode = 16_384;

    public (string? Code, Problem? Problem) Normalize(string? code)
    {
        if (code is null || code.Length > LongestCode)
            return (null, KnownProblems.Invalid("code", "A code is a text, far shorter than this."));
        return lookup.TryNormalize(code, out var reason) is { } normalized
            ? (normalized, null)
            : (null, KnownProblems.Invalid("code", $"No card can have this code: {reason.Message} ({reason.Name})."));
    }

    public Task<(FoundCard Found, Problem? Problem)> ByCodeAsync(string code, Demand demand, CancellationToken ct) =>
        FindAsync(code, (enough, c) => gathered.ByCodeAsync(code, enough, c), demand, ct);

    public Task<(FoundCard Found, Problem? Problem)> ByOdooIdAsync(int id, Demand demand, CancellationToken ct) =>
        FindAsync(null, (enough, c) => reader.ByOdooIdAsync(id, enough, c), demand, ct);

    /// <summary>All from memory, or the rest with one question.</summary>
    /// <param name="codes">Normalised, without repetition.</param>
    public async Task<Dictionary<string, (FoundCard Found, Problem? Problem)>> ByCodesAsync(
        IReadOnlyList<string> codes,
        Demand demand,
        CancellationToken ct
    )
    {
        var found = new Dictionary<string, (FoundCard, Problem?)>(codes.Count);
        var rest = new List<string>();
        foreach (var code in codes)
            if (FromMemory(code, demand) is { } there)
                found[code] = (there, null);
            else
                rest.Add(code);
        if (rest.Count == 0)
            return found;
        var answers = await reader.ByCodesAsync(rest, moment => IsEnough(demand, moment), ct).ConfigureAwait(false);
        var problem = await ReachAsync(demand, answers[0].Moment, ct).ConfigureAwait(false);
        if (problem is null && !HasReached(demand, answers[0].Moment))
            answers = await reader.ByCodesAsync(rest, null, ct).ConfigureAwait(false);
        for (var i = 0; i < rest.Count; i++)
            found[rest[i]] = problem is null ? await JudgeAsync(rest[i], answers[i], demand, ct).ConfigureAwait(false) : (default, problem);
        return found;
    }

    public FoundCard Dated(CardRow card, EngineMoment moment) => Dated(card, moment, null);

    /// <summary>To be called for an answer that is given.</summary>
    private FoundCard Dated(CardRow card, EngineMoment moment, TimeSpan? maxStaleness) =>
        new(card, card.IsCurrent ? clock.Tell(MomentToTell(moment, card.CommitAt, maxStaleness)) : clock.Of(card.CommitAt), moment.Through);

    /// <summary>
    /// What is kept is dated by the last beat, so what was read since is dated by it too, where nothing speaks against it. Dated by its own
    /// moment, it would make all that is kept too old to be answered until the next beat: no answer is dated before one that was given.
    /// </summary>
    private EngineMoment MomentToTell(EngineMoment moment, DateTimeOffset? atLeast, TimeSpan? maxStaleness)
    {
        if (cache.Verified is not { } beat || EngineMoment.Earlier(beat, moment) != beat || !clock.IsAsNew(beat))
            return moment;
        var (asOf, lag) = clock.At(beat);
        return !(asOf < atLeast) && (maxStaleness is not { } most || lag <= most.TotalSeconds) ? beat : moment;
    }

    private async Task<(FoundCard, Problem?)> FindAsync(
        string? code,
        Func<Func<EngineMoment, bool>?, CancellationToken, Task<CardAnswer>> read,
        Demand demand,
        CancellationToken ct
    )
    {
        if (code is not null && FromMemory(code, demand) is { } there)
            return (there, null);
        var answer = await read(moment => IsEnough(demand, moment), ct).ConfigureAwait(false);
        var until = TimeProvider.System.GetTimestamp() + (long)(demand.Wait.TotalSeconds * TimeProvider.System.TimestampFrequency);
        while (true)
        {
            if (await ReachAsync(demand, answer.Moment, ct).ConfigureAwait(false) is { } problem)
                return (default, problem);
            if (!HasReached(demand, answer.Moment))
                answer = await read(null, ct).ConfigureAwait(false);
            var judged = await JudgeAsync(code, answer, demand, ct).ConfigureAwait(false);
            // A card that is just being read again is worth the wait.
            if (judged.Problem is not { Word: "card-not-current" or "too-stale" } || TimeProvider.System.GetTimestamp() >= until)
                return judged;
            await Task.Delay(20, ct).ConfigureAwait(false);
            answer = await read(null, ct).ConfigureAwait(false);
        }
    }

    private FoundCard? FromMemory(string code, Demand demand) =>
        cache.Find(code) is { } kept && IsEnough(demand, kept.Moment) ? Dated(kept.Card, kept.Moment, demand.MaxStaleness) : null;

    /// <summary>Whether what memory or a replica has of a moment meets the demand, and takes back nothing of what was said of freshness.</summary>
    private bool IsEnough(Demand demand, EngineMoment moment) =>
        HasReached(demand, moment)
        && clock.IsAsNew(moment)
        && (demand.MaxStaleness is not { } most || clock.At(moment).LagSeconds <= most.TotalSeconds);

    private static bool HasReached(Demand demand, EngineMoment moment)
    {
        if (demand.MinPosition is null)
            return true;
        var wanted = demand.Position(moment.Through.Generation);
        return wanted.Generation == moment.Through.Generation && moment.Through.Lsn >= wanted.Lsn;
    }

    private async Task<Problem?> ReachAsync(Demand demand, EngineMoment moment, CancellationToken ct)
    {
        if (HasReached(demand, moment))
            return null;
        var wanted = demand.Position(moment.Through.Generation);
        if (wanted.Generation != moment.Through.Generation)
            return KnownProblems.OtherGeneration(moment.Through);
        var reached = await watch.WaitAsync(wanted, demand.Wait, ct).ConfigureAwait(false);
        return reached is not { } there ? KnownProblems.NotReached(moment.Through)
            : there.Generation != wanted.Generation ? KnownProblems.OtherGeneration(there)
            : null;
    }

    private async Task<(FoundCard Found, Problem? Problem)> JudgeAsync(string? code, CardAnswer answer, Demand demand, CancellationToken ct)
    {
        if (answer.Cards.Count > 1)
            return (default, KnownProblems.CodeAmbiguous(answer.Cards.Select(c => c.Id)));
        if (answer.Cards.Count == 0)
            return (default, await MissingAsync(code, answer, ct).ConfigureAwait(false));
        var found = Dated(answer.Cards[0], answer.Moment, demand.MaxStaleness);
        if (demand.IsAny && !found.Card.IsCurrent)
            return (default, KnownProblems.CardNotCurrent(found.Card.Status, found.Card.Reason));
        if (demand.MaxStaleness is { } most && !(found.Freshness.LagSeconds <= most.TotalSeconds))
            return (default, KnownProblems.TooStale(found.Freshness.LagSeconds));
        return (found, null);
    }

    private async Task<Problem> MissingAsync(string? code, CardAnswer answer, CancellationToken ct)
    {
        var reason = answer.QuarantineReason ?? (code is null ? null : await reader.QuarantinedAsync(code, ct).ConfigureAwait(false));
        if (reason is not null)
            return KnownProblems.CardQuarantined(reason);
        if (answer.Moment is not { State: "streaming" or "gap", TableState: "streaming" })
            return KnownProblems.CardsNotLoaded(answer.Moment.TableState);
        var freshness = clock.Tell(MomentToTell(answer.Moment, null, null));
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
