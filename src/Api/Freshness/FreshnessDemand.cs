using System.Globalization;
using Cdc.Api.Engine;
using Cdc.Api.Problems;
using Cdc.Core.Changes;
using Cdc.Core.Progress;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Freshness;

/// <summary>
/// How fresh an answer must be. It goes with the request through memory, shared statements and replicas, and each asks it the same
/// question: whether what was true at a moment of the engine is enough.
/// </summary>
/// <param name="MinPosition">What must be applied.</param>
/// <param name="MaxStaleness">How old the answer may be.</param>
/// <param name="Wait">How long the request may wait for such an answer.</param>
/// <param name="EngineOnly">Only the engine itself may answer: what memory or a replica had was not enough.</param>
internal sealed record FreshnessDemand(PositionDemand? MinPosition, TimeSpan? MaxStaleness, TimeSpan Wait, bool EngineOnly = false)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(2);

    /// <summary>The newest answer that there is, however old.</summary>
    public static readonly FreshnessDemand None = new(null, null, DefaultWait);

    /// <summary>Something is demanded: then a card that is not current is no answer either.</summary>
    public bool IsAny => MinPosition is not null || MaxStaleness is not null;

    public FreshnessDemand OfEngine => EngineOnly ? this : this with { EngineOnly = true };

    /// <summary><c>min-position</c>, <c>max-staleness</c> and <c>wait</c> of a request.</summary>
    public static FreshnessDemand? Read(IQueryCollection query, out Problem? problem)
    {
        problem = null;
        if (query.Count == 0)
            return None;
        var (position, staleness, wait) = ((string?)query["min-position"], (string?)query["max-staleness"], (string?)query["wait"]);
        PositionDemand? least = position is null ? null : PositionDemand.Parse(position);
        if (position is not null && least is null)
            problem = KnownProblems.Invalid("position", "min-position is written generation:lsn, such as 1:16/B374D848, or only the LSN.");
        else if (staleness is not null && Seconds(staleness) is null)
            problem = KnownProblems.Invalid("staleness", "max-staleness is a number of seconds, 0 or more.");
        else if (wait is not null && Seconds(wait) is null)
            problem = KnownProblems.Invalid("wait", "wait is a number of seconds, 0 or more.");
        if (problem is not null)
            return null;
        return new FreshnessDemand(
            least,
            staleness is null ? null : Seconds(staleness),
            wait is null ? DefaultWait : TimeSpan.FromTicks(Math.Min(Seconds(wait)!.Value.Ticks, LongestWait.Ticks))
        );
    }

    /// <summary>The demand that one answer for all of them must meet.</summary>
    public static FreshnessDemand Strictest(IEnumerable<FreshnessDemand> demands) => demands.Aggregate(Stricter);

    /// <summary>Whether an answer as of this moment will do: it also must not say an older as-of time than an answer before it.</summary>
    public bool IsMetBy(EngineMoment moment, FreshnessClock clock) =>
        IsReachedBy(moment) && clock.IsNotBeforeIssued(moment) && IsFreshEnough(clock.At(moment));

    /// <summary>Whether what <see cref="MinPosition"/> names is applied.</summary>
    public bool IsReachedBy(EngineMoment moment) => MinPosition is not { } least || least.IsReachedBy(moment.Through);

    /// <summary>Whether it is no older than <see cref="MaxStaleness"/>; not if its age is not known.</summary>
    public bool IsFreshEnough(Freshness freshness) => MaxStaleness is not { } most || freshness.LagSeconds <= most.TotalSeconds;

    private static FreshnessDemand Stricter(FreshnessDemand a, FreshnessDemand b)
    {
        if (a == b)
            return a;
        var oneGeneration = PositionDemand.TryCombine(a.MinPosition, b.MinPosition, out var least);
        return new FreshnessDemand(
            least,
            a.MaxStaleness is { } most && !(b.MaxStaleness < most) ? most : b.MaxStaleness,
            a.Wait < b.Wait ? a.Wait : b.Wait,
            a.EngineOnly || b.EngineOnly || !oneGeneration
        );
    }

    private static TimeSpan? Seconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= 1e9
            ? TimeSpan.FromSeconds(seconds)
            : null;
}

/// <summary>What a reader wants to be applied.</summary>
/// <param name="Generation">Null: of whichever generation the engine is in.</param>
internal readonly record struct PositionDemand(int? Generation, Lsn Lsn)
{
    private const int AnyGeneration = -1;

    /// <summary>Null: the text is no position (see <see cref="AppliedThrough.TryParse"/>).</summary>
    public static PositionDemand? Parse(string text) =>
        !AppliedThrough.TryParse(text, AnyGeneration, out var through)
            ? null
            : new PositionDemand(through.Generation == AnyGeneration ? null : through.Generation, through.Lsn);

    /// <summary>False: they are of two generations, and no engine has reached both.</summary>
    public static bool TryCombine(PositionDemand? a, PositionDemand? b, out PositionDemand? both)
    {
        both = a ?? b;
        if (a is not { } one || b is not { } other)
            return true;
        both = new PositionDemand(one.Generation ?? other.Generation, one.Lsn > other.Lsn ? one.Lsn : other.Lsn);
        return one.Generation is null || other.Generation is null || one.Generation == other.Generation;
    }

    /// <summary>False: it cannot be reached by waiting.</summary>
    public bool IsOfGeneration(AppliedThrough through) => Generation is not { } generation || generation == through.Generation;

    public bool IsReachedBy(AppliedThrough through) => IsOfGeneration(through) && through.Lsn >= Lsn;
}
