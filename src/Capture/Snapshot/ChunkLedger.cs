using Cdc.Capture.Source;
using Cdc.Core.Snapshots;

namespace Cdc.Capture.Snapshot;

/// <summary>What the stream found at a chunk's marker.</summary>
internal enum MarkerOutcome
{
    /// <summary>The rows are loaded beside the stream by whoever read them.</summary>
    Beside,
    /// <summary>The rows were appended to the stream.</summary>
    InStream,
    /// <summary>A transaction too large to remember was in flight: the job is read again.</summary>
    ReadAgain,
}

/// <summary>A chunk from its announcement until its marker has come back.</summary>
internal sealed class ChunkTicket(long number, Chunk chunk)
{
    private readonly TaskCompletionSource<MarkerOutcome> _marked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Number { get; } = number;
    public Chunk Chunk { get; private set; } = chunk;
    /// <summary>Null until it was taken.</summary>
    public SourceSnapshot? Snapshot { get; set; }
    public Task<MarkerOutcome> Marked => _marked.Task;
    /// <summary>Set before the marker is written.</summary>
    public ChunkRows? Rows { get; set; }

    /// <summary>The rows reached their bound before the job's end: the rest of it is another job.</summary>
    public void Narrow(ChunkJob job) => Chunk = new Chunk(job);

    public void SetMarked(MarkerOutcome outcome) => _marked.TrySetResult(outcome);
}

/// <summary>
/// The one room of the drop rule: which keys were streamed and may be invisible, and which chunks have snapshots that may not see them.
/// Keys are forgotten only when they are visible in the heartbeat's snapshot and in that of every open chunk, and never while a chunk is
/// announced whose snapshot is not known.
/// </summary>
internal sealed class ChunkLedger(int rememberedKeys)
{
    private readonly Lock _lock = new();
    private readonly StreamedKeys _keys = new(rememberedKeys, 2 * rememberedKeys);
    private readonly Dictionary<long, ChunkTicket> _open = [];
    private readonly Dictionary<int, ulong> _barriers = [];
    private readonly HashSet<int> _skipped = [];
    private long _number;

    public void Begin(ulong xid)
    {
        lock (_lock) _keys.Begin(xid);
    }

    public void Streamed(int entity, long key)
    {
        lock (_lock) _keys.Add(entity, key);
    }

    public void Truncated(int entity)
    {
        lock (_lock) _keys.AddAll(entity);
    }

    /// <summary>Rows of the entity were streamed and not passed on: their keys are not known here.</summary>
    public void Skipped(int entity)
    {
        lock (_lock) _skipped.Add(entity);
    }

    /// <summary>
    /// The 64-bit xid below which every transaction must have ended before the entity is read. What was skipped may not be visible yet: the
    /// first look after it only remembers that, and the snapshot of the second one, which is later for certain, sets the barrier.
    /// </summary>
    public ulong BarrierXid(int entity, SourceSnapshot now)
    {
        lock (_lock)
        {
            if (_skipped.Remove(entity)) _barriers[entity] = ulong.MaxValue;
            else if (_barriers.TryGetValue(entity, out var barrier) && barrier == ulong.MaxValue) _barriers[entity] = now.Xmax;
            return _barriers.GetValueOrDefault(entity);
        }
    }

    public ChunkTicket Announce(ChunkJob job)
    {
        lock (_lock)
        {
            var ticket = new ChunkTicket(++_number, new Chunk(job));
            _open.Add(ticket.Number, ticket);
            return ticket;
        }
    }

    /// <summary>False: a transaction too large to remember is invisible in it; give the ticket up and read again later.</summary>
    public bool TrySetSnapshot(ChunkTicket ticket, SourceSnapshot snapshot)
    {
        lock (_lock)
        {
            if (_keys.IsTooLarge(snapshot, ticket.Chunk.Job.Entity)) return false;
            ticket.Snapshot = snapshot;
            return true;
        }
    }

    public void GiveUp(ChunkTicket ticket)
    {
        lock (_lock) _open.Remove(ticket.Number);
    }

    public ChunkTicket? Find(long number)
    {
        lock (_lock) return _open.GetValueOrDefault(number);
    }

    /// <summary>
    /// The marker has come back: writes into the chunk what was in flight, and closes the ticket. False: it must be read again.
    /// </summary>
    public bool TryClose(ChunkTicket ticket)
    {
        lock (_lock)
        {
            _open.Remove(ticket.Number);
            var (chunk, snapshot) = (ticket.Chunk, ticket.Snapshot!);
            if (_keys.IsTooLarge(snapshot, chunk.Job.Entity)) return false;
            (chunk.Dropped, chunk.DroppedAll) = _keys.InFlight(snapshot, chunk.Job);
            return true;
        }
    }

    public void Forget(SourceSnapshot heartbeat)
    {
        lock (_lock)
        {
            if (_open.Values.Any(t => t.Snapshot is null)) return;
            _keys.Forget(xid => heartbeat.Sees(xid) && _open.Values.All(t => t.Snapshot!.Sees(xid)));
        }
    }
}
