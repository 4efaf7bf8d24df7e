namespace Cdc.Api.Page;

/// <summary>Makes a rate of a rising count.</summary>
/// <param name="window">Over at least this: a count that others add to every few seconds stands still between.</param>
internal sealed class RowRate(TimeSpan window)
{
    private readonly Queue<(DateTimeOffset At, long Count)> _counts = new();

    /// <summary>A second; null until there are two counts, and where it fell.</summary>
    public double? Next(DateTimeOffset at, long count)
    {
        _counts.Enqueue((at, count));
        while (_counts.Count > 2 && at - _counts.ElementAt(1).At >= window)
            _counts.Dequeue();
        var (since, before) = _counts.Peek();
        return at > since && count >= before ? Math.Round((count - before) / (at - since).TotalSeconds, 1) : null;
    }
}
