using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;

namespace Cdc.Core.Changes;

/// <summary>What flows through a change log. A closed set: a consumer switches over it and treats every case.</summary>
public abstract class ChangeEvent
{
    private protected ChangeEvent() { }

    /// <summary>Bytes this event keeps alive, for bounds on memory.</summary>
    public virtual int Bytes => 64;
}

public enum RowChangeKind : byte
{
    Insert,
    Update,

    /// <summary>The new row of an UPDATE that changed the key. The delete of the old key comes before it, one ordinal lower.</summary>
    Rekey,
    Delete,

    /// <summary>A row read in a snapshot chunk.</summary>
    Read,
}

/// <summary>A change of one row.</summary>
public sealed class RowChange : ChangeEvent
{
    /// <summary>Null for what was read in a chunk.</summary>
    public SourceTransaction? Transaction { get; init; }

    /// <summary>
    /// The end of a key that a reading did not see. Only for those who read topics: the engine decides by itself what it deletes then, and has
    /// done so before.
    /// </summary>
    public bool IsOwedEnd => Kind == RowChangeKind.Delete && Transaction is null;
    public required TableSchema Schema { get; init; }
    public required RowChangeKind Kind { get; init; }
    public required long Key { get; init; }

    /// <summary>The key's text, where the key is known by a hash (<see cref="KeySpelling"/>); else null.</summary>
    public byte[]? SpelledKey { get; init; }
    public required ChangePosition Position { get; init; }

    /// <summary>The new row; empty for a delete.</summary>
    public RowImage Image { get; init; }

    /// <summary>The old row where PostgreSQL sent all of it (REPLICA IDENTITY FULL): fills unchanged columns. Otherwise empty.</summary>
    public RowImage Before { get; init; }

    /// <summary>Time of the commit, or of the chunk's snapshot, in microseconds since 2000-01-01 UTC.</summary>
    public required long CommitMicros { get; init; }

    public override int Bytes => 128 + Image.Length + Before.Length + (SpelledKey?.Length ?? 0);
}

/// <summary>TRUNCATE of some tables; a floor for everything older.</summary>
public sealed class TruncateChange : ChangeEvent
{
    /// <summary>
    /// How many ordinals it takes: its own, then one for each key that a source row can have, so that the delete of each key has a place of
    /// its own, and the same one whenever it is written.
    /// </summary>
    public const long Ordinals = 1 + 2 * EntityDeclaration.FirstEngineId;

    public required SourceTransaction Transaction { get; init; }
    public required ChangePosition Position { get; init; }

    /// <summary>One for each entity that reads one of the tables.</summary>
    public required IReadOnlyList<TableSchema> Schemas { get; init; }

    /// <summary>By index in the declaration.</summary>
    public IEnumerable<int> Entities => Schemas.Select(schema => schema.Entity);

    /// <summary>Where a row of one of the tables ends, if it is said row by row: behind the truncate, rising with the keys.</summary>
    public ChangePosition PositionOf(long key) => Position with { Ordinal = Position.Ordinal + 1 + EntityDeclaration.FirstEngineId + key };

    /// <summary>The same for a key of two columns, whose number is none of these places: they are taken one after the other, from 1.</summary>
    public ChangePosition PositionAt(long place) => Position with { Ordinal = Position.Ordinal + place };
}

/// <summary>End of a source transaction: the engine may commit here, and nowhere else inside the stream of transactions.</summary>
public sealed class CommitChange : ChangeEvent
{
    public required SourceTransaction Transaction { get; init; }

    /// <summary>Position of the last change, mapped or not.</summary>
    public required ChangePosition Last { get; init; }

    /// <summary>End of the commit record: all commits that start below it have been streamed.</summary>
    public required Lsn EndLsn { get; init; }
}

/// <summary>All commits that start below this LSN have been streamed, and no transaction is in flight.</summary>
public sealed class ThroughChange : ChangeEvent
{
    public required Lsn Through { get; init; }

    /// <summary>
    /// Microseconds since 2000-01-01 UTC by the source's clock: all commits that had returned by then are among them. Null: not known here.
    /// </summary>
    public long? AsOfMicros { get; init; }
}

/// <summary>The stream has passed a chunk's marker and, where they travel in the stream, its rows.</summary>
public sealed class ChunkEndChange : ChangeEvent
{
    public required Snapshots.Chunk Chunk { get; init; }
}

/// <summary>
/// The stream has passed a fence's marker. What comes after it waits until the comparison has the engine's snapshot, or has missed it.
/// </summary>
public sealed class FenceChange : ChangeEvent
{
    /// <summary>Its id in the engine.</summary>
    public required long Fence { get; init; }
    public required Lsn Marker { get; init; }

    /// <summary>Keys of its range that were streamed before the marker and that the source's snapshot may not see.</summary>
    public required IReadOnlySet<long> InFlight { get; init; }

    /// <summary>All keys were in flight (a truncate).</summary>
    public required bool InFlightAll { get; init; }

    public override int Bytes => 64 + 16 * InFlight.Count;
}

/// <summary>A table must stop (its rows from here on are not applied), or may go on.</summary>
public sealed class TableStateChange : ChangeEvent
{
    public required int Entity { get; init; }
    public required ChangePosition Position { get; init; }

    /// <summary>Why it stops, and what to do; null when it goes on (its rows are read again).</summary>
    public required string? StopReason { get; init; }

    /// <summary>The source table's fingerprint from here on; null if that is not known here.</summary>
    public TableFingerprint? Fingerprint { get; init; }

    /// <summary>Completed when the registry of tables has it; null if no caller waits for that.</summary>
    public TaskCompletionSource? Applied { get; init; }
}
