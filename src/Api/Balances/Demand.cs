using System.Globalization;
using Cdc.Api.Problems;
using Cdc.Core.Progress;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Balances;

/// <summary>What a request demands of its answer's freshness, beside the default: the newest that there is, and saying how old that is.</summary>
/// <param name="MinPosition">As written: what it means depends on the generation.</param>
/// <param name="Wait">How long the position may be waited for.</param>
internal sealed record Demand(string? MinPosition, TimeSpan? MaxStaleness, TimeSpan Wait)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(2);
    private static readonly Demand None = new(null, null, DefaultWait);

    public bool IsAny => MinPosition is not null || MaxStaleness is not null;

    public static Demand? Read(IQueryCollection query, out Problem? problem)
    {
        problem = null;
        if (query.Count == 0)
            return None;
        var (position, staleness, wait) = ((string?)query["min-position"], (string?)query["max-staleness"], (string?)query["wait"]);
        if (position is not null && !AppliedThrough.TryParse(position, 0, out _))
            problem = KnownProblems.Invalid("position", "min-position is written generation:lsn, such as 1:16/B374D848, or only the LSN.");
        else if (staleness is not null && Seconds(staleness) is null)
            problem = KnownProblems.Invalid("staleness", "max-staleness is a number of seconds, 0 or more.");
        else if (wait is not null && Seconds(wait) is not { } && problem is null)
            problem = KnownProblems.Invalid("wait", "wait is a number of seconds, 0 or more.");
        if (problem is not null)
            return null;
        return new Demand(
            position,
            staleness is null ? null : Seconds(staleness),
            wait is null ? DefaultWait : TimeSpan.FromTicks(Math.Min(Seconds(wait)!.Value.Ticks, LongestWait.Ticks))
        );
    }

    /// <summary>The position as of this generation.</summary>
    public AppliedThrough Position(int generation) =>
        AppliedThrough.TryParse(MinPosition!, generation, out var position) ? position : default;

    private static TimeSpan? Seconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= 1e9
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
