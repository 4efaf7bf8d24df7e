using Cdc.Capture.Fences;
using Cdc.Capture.Source;
using Cdc.Core.Entities;
using Cdc.Core.Fences;
using Cdc.Core.Snapshots;

namespace Cdc.Capture.Snapshot;

/// <summary>
/// The one room of the drop rule: which keys were streamed and may be invisible, and which chunks and fences have snapshots that may not
/// see them. Keys are forgotten only when they are visible in the heartbeat's snapshot and in that of every open ticket, and never while
/// one is announced whose snapshot is not known.
/// </summary>
internal sealed class ChunkLedger(int rememberedKeys)
{
    private readonly Lock _lock = new();
    private readonly StreamedKeys _keys = new(rememberedKeys, 2 * rememberedKeys);
    private readonly Dictionary<long, LedgerTicket> _open = [];
    private readonly Dictionary<int, ulong> _barriers = [];
    private readonly HashSet<int> _skipped = [];
    private long _number;

    public void Begin(ulong xid)
    {
        lock (_lock)
            _keys.Begin(xid);
    }

    /// <param name="check">Of a key that is known by a hash more bits of it (<see cref="KeyHash.Check"/>); else 0.</param>
    public void Streamed(int entity, long key, int check = 0)
    {
        lock (_lock)
            _keys.Add(entity, key, check);
    }

    /// <summary>
    /// A row of the chunk would be dropped for a key that is not its own but has its number; null: none. Asked before it is closed.
    /// </summary>
    public long? MistakenKey(ChunkTicket ticket)
    {
        if (ticket.Rows is not { SpelledKeys: { } spelled } rows)
            return null;
        var checks = new Dictionary<long, int>(spelled.Count);
        for (var i = 0; i < spelled.Count; i++)
            checks[rows.Rows[i].Key] = KeyHash.Check(spelled[i]);
        lock (_lock)
            return _keys.Mistaken(ticket.Snapshot!, ticket.Entity, checks);
    }

    public void Truncated(int entity)
    {
        lock (_lock)
            _keys.AddAll(entity);
    }

    /// <summary>Rows of the entity were streamed and not passed on: their keys are not known here.</summary>
    public void Skipped(int entity)
    {
        lock (_lock)
            _skipped.Add(entity);
    }

    /// <summary>
    /// The 64-bit xid below which every transaction must have ended before the entity is read. What was skipped may not be visible yet: the
    /// first call after it only remembers that, and the snapshot of the second one, which is later for certain, sets the barrier.
    /// </summary>
    /// <param name="now">Above every writer of its moment.</param>
    public ulong BarrierXid(int entity, SourceSnapshot now)
    {
        lock (_lock)
        {
            if (_skipped.Remove(entity))
                _barriers[entity] = ulong.MaxValue;
            else if (_barriers.TryGetValue(entity, out var barrier) && barrier == ulong.MaxValue)
                _barriers[entity] = now.Xmax;
            return _barriers.GetValueOrDefault(entity);
        }
    }

    public ChunkTicket Announce(ChunkJob job) => Announce(number => new ChunkTicket(number, new Chunk(job)));

    public FenceTicket Announce(FenceRequest fence) => Announce(number => new FenceTicket(number, fence));

    /// <summary>False: a transaction too large to remember is invisible in it; give the ticket up and read again later.</summary>
    public bool TrySetSnapshot(LedgerTicket ticket, SourceSnapshot snapshot)
    {
        lock (_lock)
        {
            if (_keys.IsTooLarge(snapshot, ticket.Entity))
                return false;
            ticket.Snapshot = snapshot;
            return true;
        }
    }

    public void GiveUp(LedgerTicket ticket)
    {
        lock (_lock)
            _open.Remove(ticket.Number);
    }

    public LedgerTicket? Find(long number)
    {
        lock (_lock)
            return _open.GetValueOrDefault(number);
    }

    /// <summary>
    /// The marker has come back: gives the ticket its keys in flight, and closes it. False: a transaction too large to
    /// remember was, and it must be read again.
    /// </summary>
    public bool TryClose(LedgerTicket ticket)
    {
        lock (_lock)
        {
            _open.Remove(ticket.Number);
            var snapshot = ticket.Snapshot!;
            if (_keys.IsTooLarge(snapshot, ticket.Entity))
                return false;
            var (keys, all) = _keys.InFlight(snapshot, ticket.Entity, ticket.Covers);
            ticket.SetInFlight(keys, all);
            return true;
        }
    }

    public void Forget(SourceSnapshot heartbeat)
    {
        lock (_lock)
        {
            if (_open.Values.Any(t => t.Snapshot is null))
                return;
            _keys.Forget(xid => heartbeat.Sees(xid) && _open.Values.All(t => t.Snapshot!.Sees(xid)));
        }
    }

    private T Announce<T>(Func<long, T> create)
        where T : LedgerTicket
    {
        lock (_lock)
        {
            var ticket = create(++_number);
            _open.Add(ticket.Number, ticket);
            return ticket;
        }
    }
}
