namespace Cdc.Api.Live;

/// <summary>Requests that wait for a card to change. The engine's announcements wake them; those that do not arrive do not.</summary>
internal sealed class CardChanges
{
    private readonly Lock _lock = new();
    private readonly List<Subscription> _subscriptions = [];

    /// <summary>Create it before the card is read: no announcement after it is missed.</summary>
    public Subscription Of(long cardId)
    {
        var subscription = new Subscription(this, cardId);
        lock (_lock)
            _subscriptions.Add(subscription);
        return subscription;
    }

    /// <summary>These rows changed; null: any.</summary>
    public void Announce(IReadOnlyList<(long Key, uint? Hash)>? rows)
    {
        lock (_lock)
            foreach (var subscription in _subscriptions)
                if (rows is null || rows.Any(row => row.Key == subscription.CardId))
                    subscription.Wake();
    }

    internal sealed class Subscription(CardChanges changes, long cardId) : IDisposable
    {
        private readonly SemaphoreSlim _changed = new(0, 1);

        public long CardId => cardId;

        /// <summary>Returns at the next announcement, or at once for one since the last wait; false: there was none in time.</summary>
        public Task<bool> WaitAsync(TimeSpan atMost, CancellationToken ct) => _changed.WaitAsync(atMost, ct);

        public void Dispose()
        {
            lock (changes._lock)
                changes._subscriptions.Remove(this);
            _changed.Dispose();
        }

        /// <summary>Called under the lock, so by one at a time.</summary>
        internal void Wake()
        {
            if (_changed.CurrentCount == 0)
                _changed.Release();
        }
    }
}
