using Cdc.Core.Entities;

namespace Cdc.Core.Snapshots;

/// <summary>Keys from <paramref name="From"/> (included) to <paramref name="To"/> (excluded); null is open.</summary>
public readonly record struct KeyRange(long? From, long? To)
{
    public static readonly KeyRange All;

    public bool Contains(long key) => (From is null || key >= From) && (To is null || key < To);

    public override string ToString() => $"[{KeyText.Of(From)}..{KeyText.Of(To)})";
}
