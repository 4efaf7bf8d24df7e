using Cdc.Api.Engine;
using Cdc.Core.Operations;
using Cdc.Core.Progress;

namespace Cdc.Api.Freshness;

/// <summary>
/// Says at which moment of the source an answer was true. The source is sampled regularly for its time and the end of its WAL: an engine
/// that has applied beyond that end shows everything committed until that time. Only the source's clock counts, so no skew between
/// machines matters; an as-of time is never newer than the truth. Once issued it holds for every engine that is as far.
/// </summary>
internal sealed class FreshnessClock(TimeProvider time)
{
    /// <summary>At four samples a second more than ten minutes; older ones say no more than the engine itself does.</summary>
    private const int Kept = 2_400;

    private readonly Lock _lock = new();
    private readonly SourceMoment[] _samples = new SourceMoment[Kept];
    private int _count;
    private int _next;
    private SourceMoment? _last;
    private long _lastAt;
    private readonly IssuedTimes _issued = new();

    public void Add(SourceMoment moment)
    {
        lock (_lock)
        {
            // Another server, or one that was set back: what was sampled before says nothing about it.
            if (_last is { } last && (last.SystemIdentifier != moment.SystemIdentifier || moment.Written < last.Written))
                (_count, _next) = (0, 0);
            _samples[_next] = moment;
            _next = (_next + 1) % Kept;
            _count = Math.Min(_count + 1, Kept);
            (_last, _lastAt) = (moment, time.GetTimestamp());
        }
    }

    /// <param name="moment">Of the engine, when it was read.</param>
    public Freshness At(EngineMoment moment)
    {
        lock (_lock)
            return Dated(AsOf(moment));
    }

    /// <summary>The same for an answer that is given: no later one may be dated before it.</summary>
    public Freshness Issue(EngineMoment moment)
    {
        lock (_lock)
        {
            var asOf = AsOf(moment);
            if (asOf is { } at)
                _issued.Add(moment, at);
            return Dated(asOf);
        }
    }

    /// <summary>An answer from there would not be dated before one that was given.</summary>
    public bool IsNotBeforeIssued(EngineMoment moment)
    {
        lock (_lock)
            return _issued.Newest(moment) is not { } newest || AsOf(moment) >= newest;
    }

    /// <summary>Of a row that is not up to date: all that is known of it is when it was written in the source.</summary>
    public Freshness Of(DateTimeOffset? commit)
    {
        lock (_lock)
            return Dated(commit);
    }

    /// <summary>Since a commit of the source, by its clock; 0 if that says a moment to come.</summary>
    public double SecondsSince(DateTimeOffset commit)
    {
        lock (_lock)
            return Math.Max(0, (Now() - commit).TotalSeconds);
    }

    private DateTimeOffset? AsOf(EngineMoment moment)
    {
        var asOf = moment.AsOf;
        if (_last?.SystemIdentifier == moment.SystemIdentifier && NewestApplied(moment.Through) is { } sampled && !(asOf > sampled))
            asOf = sampled;
        return _issued.NewestUpTo(moment) is { } issued && !(asOf > issued) ? issued : asOf;
    }

    private Freshness Dated(DateTimeOffset? asOf) =>
        new(asOf, asOf is { } at ? Math.Max(0, Math.Round((Now() - at).TotalSeconds, 3)) : null);

    /// <summary>The source's time; ours while it was never asked.</summary>
    private DateTimeOffset Now() => _last is { } last ? last.At + time.GetElapsedTime(_lastAt) : time.GetUtcNow();

    private DateTimeOffset? NewestApplied(AppliedThrough through)
    {
        // Both rise with age falling: a binary search for the newest sample that is applied.
        int low = 0,
            high = _count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Sample(middle).Written <= through.Lsn)
                low = middle + 1;
            else
                high = middle;
        }
        return low == 0 ? null : Sample(low - 1).At;
    }

    private SourceMoment Sample(int fromOldest) => _samples[(_next - _count + fromOldest + Kept) % Kept];
}

/// <param name="AsOf">Everything committed in the source until then is in the answer; null: nothing is known of it.</param>
/// <param name="LagSeconds">Age of that moment.</param>
internal readonly record struct Freshness(DateTimeOffset? AsOf, double? LagSeconds);
