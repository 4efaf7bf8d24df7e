using Cdc.Api.Engine;
using Cdc.Core.Progress;

namespace Cdc.Api.Freshness;

/// <summary>
/// What answers were dated with, and how far the engine was then. Both rise: an engine that is as far as one of them is at least as new as
/// that answer was. One entry would not do: an answer that is on its way while another is told something newer still follows older ones.
/// For one generation of one source; for one thread at a time.
/// </summary>
internal sealed class ToldMoments
{
    /// <summary>More than are told while one answer is on its way.</summary>
    private const int Most = 4096;

    private readonly List<(AppliedThrough Through, DateTimeOffset AsOf)> _told = [];
    private string? _systemIdentifier;

    /// <summary>The newest that was told, of an engine no further than this one; null: nothing was.</summary>
    public DateTimeOffset? Of(EngineMoment moment) => IsOf(moment) && Count(moment) is > 0 and var count ? _told[count - 1].AsOf : null;

    /// <summary>The newest that was told of this source and generation.</summary>
    public DateTimeOffset? Newest(EngineMoment moment) => IsOf(moment) ? _told[^1].AsOf : null;

    public void Add(EngineMoment moment, DateTimeOffset asOf)
    {
        if (!IsOf(moment))
            _told.Clear();
        _systemIdentifier = moment.SystemIdentifier;
        var at = Count(moment);
        if (at > 0 && _told[at - 1].AsOf >= asOf)
            return;
        var end = at;
        while (end < _told.Count && _told[end].AsOf <= asOf)
            end++;
        _told.RemoveRange(at, end - at);
        _told.Insert(at, (moment.Through, asOf));
        if (_told.Count > Most)
            _told.RemoveRange(0, Most / 2);
    }

    private bool IsOf(EngineMoment moment) =>
        _told.Count > 0 && _systemIdentifier == moment.SystemIdentifier && _told[0].Through.Generation == moment.Through.Generation;

    /// <summary>How many are of engines no further than this one.</summary>
    private int Count(EngineMoment moment)
    {
        int low = 0,
            high = _told.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_told[middle].Through.Lsn <= moment.Through.Lsn)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
