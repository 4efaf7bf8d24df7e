namespace Cdc.Reconcile.Fences;

/// <summary>
/// Keys that were streamed before the fence's marker and that the source's snapshot may not see. They, and no others, may differ at the
/// fence without being drift: they are counted apart.
/// </summary>
public sealed class InFlightKeys(bool all, IReadOnlySet<long> keys)
{
    public static readonly InFlightKeys None = new(false, new HashSet<long>());

    /// <summary>The table was truncated in flight: every key may differ.</summary>
    public bool All { get; } = all;

    public IReadOnlySet<long> Keys { get; } = keys;

    public bool Contains(long key) => All || Keys.Contains(key);
}
