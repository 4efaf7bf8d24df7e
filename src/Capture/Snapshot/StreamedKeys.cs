using Cdc.Capture.Source;
using Cdc.Core.Entities;

namespace Cdc.Capture.Snapshot;

/// <summary>
/// The keys of streamed transactions that may not be visible yet: PostgreSQL makes a commit visible after it is in the WAL, and a waiting
/// synchronous standby stretches that to seconds. Bounded: of a transaction with too many keys only its tables are remembered.
/// Not thread-safe: its owner holds a lock.
/// </summary>
internal sealed class StreamedKeys(int keysOfOneTransaction, int keysOfAll)
{
    private const long EveryKey = long.MinValue;

    /// <param name="Check">Of a key that is known by a hash more bits of it (<see cref="KeyHash.Check"/>); else 0. In room that was unused.</param>
    private readonly record struct Entry(ulong Xid, int Entity, int Check, long Key);

    private readonly List<Entry> _entries = [];
    private readonly Dictionary<ulong, HashSet<int>> _large = [];
    private ulong _xid;
    private int _start;
    private HashSet<int>? _currentLarge;

    /// <summary>Keys remembered, for tests and telemetry.</summary>
    public int Count => _entries.Count;

    public void Begin(ulong xid) => (_xid, _start, _currentLarge) = (xid, _entries.Count, null);

    public void Add(int entity, long key, int check = 0)
    {
        if (_currentLarge is { } tables)
        {
            tables.Add(entity);
            return;
        }
        _entries.Add(new Entry(_xid, entity, check, key));
        if (_entries.Count - _start > keysOfOneTransaction || _entries.Count > keysOfAll)
            BecomeLarge();
    }

    /// <summary>A truncate: all keys of the entity.</summary>
    public void AddAll(int entity) => Add(entity, EveryKey);

    /// <summary>Forgets the transactions that are visible everywhere they need to be.</summary>
    public void Forget(Func<ulong, bool> isVisible)
    {
        var visible = new Dictionary<ulong, bool>();
        _entries.RemoveAll(entry => visible.TryGetValue(entry.Xid, out var seen) ? seen : visible[entry.Xid] = isVisible(entry.Xid));
        // The transaction that is being streamed stands at the end, if it is not visible already.
        _start = _entries.Count;
        while (_start > 0 && _entries[_start - 1].Xid == _xid)
            _start--;
        foreach (var xid in _large.Keys.Where(isVisible).ToList())
            _large.Remove(xid);
    }

    /// <summary>True if a transaction too large to remember, not visible in the snapshot, has touched the entity.</summary>
    public bool IsTooLarge(SourceSnapshot snapshot, int entity) => _large.Any(l => l.Value.Contains(entity) && !snapshot.Sees(l.Key));

    /// <summary>
    /// Keys of an entity in transactions that were streamed and are not visible in the snapshot; all: a truncate is among them.
    /// </summary>
    /// <param name="covers">Which keys are asked for.</param>
    public (HashSet<long> Keys, bool All) InFlight(SourceSnapshot snapshot, int entity, Func<long, bool> covers)
    {
        var keys = new HashSet<long>();
        var all = false;
        foreach (var (xid, of, _, key) in _entries)
        {
            if (of != entity || snapshot.Sees(xid))
                continue;
            if (key == EveryKey)
                all = true;
            else if (covers(key))
                keys.Add(key);
        }
        return (keys, all);
    }

    /// <summary>A key in flight whose number a row has that is another one's; null: there is none.</summary>
    /// <param name="checks">Of the rows, by their numbers.</param>
    public long? Mistaken(SourceSnapshot snapshot, int entity, IReadOnlyDictionary<long, int> checks)
    {
        foreach (var (xid, of, check, key) in _entries)
            if (of == entity && !snapshot.Sees(xid) && checks.TryGetValue(key, out var row) && row != check)
                return key;
        return null;
    }

    private void BecomeLarge()
    {
        var tables = _large.TryGetValue(_xid, out var known) ? known : _large[_xid] = [];
        for (var i = _start; i < _entries.Count; i++)
            tables.Add(_entries[i].Entity);
        _entries.RemoveRange(_start, _entries.Count - _start);
        // A list keeps the room of what it held: tens of megabytes, beside a transaction that needs them.
        _entries.TrimExcess();
        _currentLarge = tables;
    }
}
