namespace Cdc.Workload.Transactions;

/// <summary>
/// The cards that one session works on. No other session touches them (but the expiry job), so that what a session does to them follows
/// from the seed alone; only <see cref="Shared"/> cards are used by all workers.
/// </summary>
internal sealed class CardDeck(IEnumerable<int> own, IReadOnlyList<int> shared)
{
    /// <summary>So few that the sessions meet on them.</summary>
    public const int SharedCards = 4;

    private readonly List<int> _own = [.. own];
    private readonly List<int> _damaged = [];

    public int Count => _own.Count;
    public bool HasShared => shared.Count > 0;
    public bool HasDamaged => _damaged.Count > 0;

    public int At(uint number) => _own[(int)(number % (uint)_own.Count)];

    public int Shared(uint number) => shared[(int)(number % (uint)shared.Count)];

    public int Damaged(uint number) => _damaged[(int)(number % (uint)_damaged.Count)];

    public void Add(int card) => _own.Add(card);

    public void Remove(int card)
    {
        _own.Remove(card);
        _damaged.Remove(card);
    }

    public void MarkDamaged(int card)
    {
        if (!_damaged.Contains(card))
            _damaged.Add(card);
    }

    public void MarkRepaired(int card) => _damaged.Remove(card);
}
