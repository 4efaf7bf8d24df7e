using Cdc.Api.Engine;
using Cdc.Core.Progress;

namespace Cdc.Api.Freshness;

/// <summary>
/// The as-of times that answers were given with, and how far the engine was then. Both rise: an engine that is as far as one of them is at
/// least as new as that answer was. One entry would not do: while one answer is on its way another may be issued a newer time, and the
/// first still follows older ones. For one generation of one source; for one thread at a time.
/// </summary>
internal sealed class IssuedTimes
{
    /// <summary>More than are issued while one answer is on its way.</summary>
    private const int Most = 4096;

    private readonly List<(AppliedThrough Through, DateTimeOffset AsOf)> _issued = [];
    private string? _systemIdentifier;

    /// <summary>The newest that was issued for an engine no further than this one; null: none was.</summary>
    public DateTimeOffset? NewestUpTo(EngineMoment moment) =>
        IsOf(moment) && Count(moment) is > 0 and var count ? _issued[count - 1].AsOf : null;

    /// <summary>The newest that was issued of this source and generation.</summary>
    public DateTimeOffset? Newest(EngineMoment moment) => IsOf(moment) ? _issued[^1].AsOf : null;

    public void Add(EngineMoment moment, DateTimeOffset asOf)
    {
        if (!IsOf(moment))
            _issued.Clear();
        _systemIdentifier = moment.SystemIdentifier;
        var at = Count(moment);
        if (at > 0 && _issued[at - 1].AsOf >= asOf)
            return;
        var end = at;
        while (end < _issued.Count && _issued[end].AsOf <= asOf)
            end++;
        _issued.RemoveRange(at, end - at);
        _issued.Insert(at, (moment.Through, asOf));
        if (_issued.Count > Most)
            _issued.RemoveRange(0, Most / 2);
    }

    private bool IsOf(EngineMoment moment) =>
        _issued.Count > 0 && _systemIdentifier == moment.SystemIdentifier && _issued[0].Through.Generation == moment.Through.Generation;

    /// <summary>How many are of engines no further than this one.</summary>
    private int Count(EngineMoment moment)
    {
        int low = 0,
            high = _issued.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_issued[middle].Through.Lsn <= moment.Through.Lsn)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
