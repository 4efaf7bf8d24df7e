using System.Text;
using Cdc.Api.Engine;
using Cdc.Api.Live;
using Cdc.Api.Replicas;
using Cdc.Core.Progress;

namespace Cdc.Api.Balances;

/// <summary>
/// Cards that were read, until the engine announces a change of them. What it answers is never older than anything answered before it for
/// the same card, and was true at the moment that comes with it:
/// every read takes a mark before it begins. What it found is kept only if nothing was announced, read or dropped for that card or code
/// since; otherwise, and whenever it found something newer than what is kept, what is kept goes.
/// Used only while the listener is connected; bounded by bytes, in two halves: when the young one is full the old one is dropped.
/// </summary>
internal sealed class CardCache(long maxBytes)
{
    /// <summary>Announcements remembered for reads that are under way; beyond it those are not kept.</summary>
    private const int Remembered = 16_384;

    /// <summary>Objects and dictionary entries of one card, without its texts.</summary>
    private const int BytesOfEntry = 720;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, long> _keysAt = [];
    private readonly Dictionary<uint, long> _codesAt = [];
    private Half _young = new();
    private Half _old = new();
    private long _now;
    private long _floor;
    private EngineMoment? _verified;
    private EngineBeat? _beat;

    /// <summary>Requests that wait for what <see cref="Changed"/> is called with.</summary>
    public CardChanges Changes { get; } = new();

    public long Hits { get; private set; }
    public long Misses { get; private set; }

    /// <summary>Asked for since this was last set to false: an idle Api need not be kept informed.</summary>
    public bool Used { get; set; }

    public long Bytes
    {
        get
        {
            lock (_lock)
                return _young.Bytes + _old.Bytes;
        }
    }

    /// <summary>How far the engine was at the last beat, which what is kept is dated by; null: nothing is kept.</summary>
    public EngineMoment? Verified
    {
        get
        {
            lock (_lock)
                return _verified;
        }
    }

    /// <summary>Null: there is no listener, or no replica to be compared with it.</summary>
    public EngineBeat? Beat
    {
        get
        {
            lock (_lock)
            {
                Used = true;
                return _beat;
            }
        }
    }

    public long Mark()
    {
        lock (_lock)
            return _now;
    }

    /// <summary>Null: not kept, or there is no listener. The moment is how far the engine was when the card was still the same.</summary>
    public (CardRow Card, EngineMoment Moment)? Find(string code)
    {
        lock (_lock)
        {
            Used = true;
            var hash = HashOf(code);
            if (_verified is not { } verified || (_young.Find(hash) ?? Promote(hash)) is not { } entry || entry.Lookup != code)
            {
                Misses++;
                return null;
            }
            Hits++;
            var card = entry.Through.Lsn > verified.Through.Lsn ? verified with { Through = entry.Through } : verified;
            return (entry, card);
        }
    }

    /// <param name="mark">Taken before the read.</param>
    /// <param name="code">What was asked for, normalised; null: not by code.</param>
    public void Learn(long mark, string? code, CardAnswer answer)
    {
        lock (_lock)
        {
            var kept = code is null ? null : Keepable(mark, code, answer);
            foreach (var card in answer.Cards)
                if (!ReferenceEquals(card, kept))
                    Refute(card, onlyOlder: code is null && card.IsCurrent);
            if (kept is not null)
                Keep(HashOf(kept.Lookup), kept);
            else if (code is not null && answer.Cards.Count != 1)
                RemoveCode(HashOf(code));
        }
    }

    /// <summary>The engine announced that these rows changed; null: any.</summary>
    public void Changed(IReadOnlyList<(long Key, uint? Hash)>? rows)
    {
        lock (_lock)
        {
            if (rows is null)
                Clear();
            foreach (var (key, hash) in rows ?? [])
            {
                RemoveKey(key);
                if (hash is { } value)
                    RemoveCode(value);
            }
        }
        Changes.Announce(rows);
    }

    /// <summary>All announcements up to this moment have arrived. Null: there is no listener, or the table is not whole.</summary>
    public void Verify(EngineMoment? moment, EngineBeat? beat = null)
    {
        lock (_lock)
        {
            if (
                moment is null
                || _verified is null
                || moment.Through.Generation != _verified.Through.Generation
                || moment.SystemIdentifier != _verified.SystemIdentifier
            )
                Clear();
            (_verified, _beat) = (moment, moment is null ? null : beat);
        }
    }

    /// <summary>Changes of cards that were born in the engine (no position) are not announced: those are never kept.</summary>
    private CardRow? Keepable(long mark, string code, CardAnswer answer)
    {
        if (
            _verified is null
            || mark < _floor
            || answer.Cards is not [{ IsCurrent: true, Position: not null } card]
            || card.Through.Generation != _verified.Through.Generation
        )
            return null;
        if (_keysAt.GetValueOrDefault(card.Id) > mark || _codesAt.GetValueOrDefault(HashOf(code)) > mark)
            return null;
        return Kept(card.Id) is { } there && there.Position > card.Position ? null : card;
    }

    private CardRow? Kept(long key) => _young.Cards.GetValueOrDefault(key) ?? _old.Cards.GetValueOrDefault(key);

    /// <summary>What is kept of the card goes, and so will what slower reads find that began before now.</summary>
    private void Refute(CardRow card, bool onlyOlder)
    {
        if (onlyOlder && Kept(card.Id) is { } there && there.Position >= card.Position)
            return;
        RemoveKey(card.Id);
    }

    private void Keep(uint hash, CardRow card)
    {
        if (Kept(card.Id) is { } before)
            Remove(before);
        if (_young.Find(hash) is { } other)
            Remove(other);
        _young.Add(hash, card, SizeOf(card));
        if (_young.Bytes * 2 <= maxBytes)
            return;
        // What is still being read of a card that is dropped here would not be compared with it any more.
        _floor = ++_now;
        (_old, _young) = (_young, new Half());
    }

    private CardRow? Promote(uint hash)
    {
        if (_old.Find(hash) is not { } card)
            return null;
        _old.Remove(hash, card.Id, SizeOf(card));
        _young.Add(hash, card, SizeOf(card));
        return card;
    }

    private void RemoveKey(long key)
    {
        if (Kept(key) is { } card)
            Remove(card);
        Remember(_keysAt, key);
    }

    private void RemoveCode(uint hash)
    {
        if (_young.Find(hash) is { } young)
            Remove(young);
        if (_old.Find(hash) is { } old)
            Remove(old);
        Remember(_codesAt, hash);
    }

    private void Remove(CardRow card)
    {
        var hash = HashOf(card.Lookup);
        _young.Remove(hash, card.Id, SizeOf(card));
        _old.Remove(hash, card.Id, SizeOf(card));
    }

    private void Remember<T>(Dictionary<T, long> at, T what)
        where T : notnull
    {
        at[what] = ++_now;
        if (at.Count <= Remembered)
            return;
        _floor = _now;
        _keysAt.Clear();
        _codesAt.Clear();
    }

    private void Clear()
    {
        (_young, _old) = (new Half(), new Half());
        _keysAt.Clear();
        _codesAt.Clear();
        _floor = ++_now;
    }

    private static uint HashOf(string code)
    {
        var size = Encoding.UTF8.GetMaxByteCount(code.Length);
        Span<byte> bytes = size <= 1024 ? stackalloc byte[size] : new byte[size];
        return ChangeNotice.Hash(bytes[..Encoding.UTF8.GetBytes(code, bytes)]);
    }

    private static long SizeOf(CardRow card) =>
        BytesOfEntry + 2L * (card.Code.Length + card.Lookup.Length + (card.Points?.Length ?? 0) + (card.Warning?.Length ?? 0));

    /// <summary>One card for a hash: a second one with the same takes its place.</summary>
    private sealed class Half
    {
        private readonly Dictionary<uint, long> _keyOf = [];

        public Dictionary<long, CardRow> Cards { get; } = [];

        public long Bytes { get; private set; }

        public CardRow? Find(uint hash) => _keyOf.TryGetValue(hash, out var key) ? Cards[key] : null;

        public void Add(uint hash, CardRow card, long bytes)
        {
            (_keyOf[hash], Cards[card.Id]) = (card.Id, card);
            Bytes += bytes;
        }

        public void Remove(uint hash, long key, long bytes)
        {
            if (!Cards.Remove(key))
                return;
            _keyOf.Remove(hash);
            Bytes -= bytes;
        }
    }
}
