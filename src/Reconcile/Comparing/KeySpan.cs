using Cdc.Core.Entities;
using Cdc.Core.Snapshots;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// Keys from <paramref name="Low"/> up to, but without, <paramref name="High"/>; the ends of what is compared stand for an open end.
/// </summary>
internal readonly record struct KeySpan(long Low, long High)
{
    public const long Lowest = long.MinValue;

    /// <summary>What was born in the engine has no other side.</summary>
    public const long Highest = EntityDeclaration.FirstEngineId;

    public static readonly KeySpan All = new(Lowest, Highest);

    public static KeySpan Of(KeyRange range) => new(range.From ?? Lowest, Math.Min(range.To ?? Highest, Highest));

    public bool IsEmpty => Low >= High;

    /// <summary>Number of keys; a span open below has more than a long holds.</summary>
    public Int128 Width => (Int128)High - Low;

    public bool Contains(long key) => key >= Low && key < High;

    /// <summary>Equal parts in order, fewer where there are not so many keys.</summary>
    public IEnumerable<KeySpan> Split(int parts)
    {
        var width = Width;
        var count = (int)Int128.Min(parts, width);
        for (var i = 0; i < count; i++)
            yield return new KeySpan((long)(Low + width * i / count), (long)(Low + width * (i + 1) / count));
    }

    /// <summary>What is left without the given ranges.</summary>
    public IReadOnlyList<KeySpan> Without(IEnumerable<KeySpan> taken)
    {
        var left = new List<KeySpan>();
        var from = Low;
        foreach (var hole in taken.OrderBy(t => t.Low))
        {
            if (hole.Low > from)
                left.Add(new KeySpan(from, Math.Min(hole.Low, High)));
            from = Math.Max(from, hole.High);
        }
        left.Add(new KeySpan(from, High));
        return [.. left.Where(s => !s.IsEmpty)];
    }

    public KeySpan Within(KeySpan other) => new(Math.Max(Low, other.Low), Math.Min(High, other.High));

    public KeyRange ToRange() => new(Low == Lowest ? null : Low, High == Highest ? null : High);
}
