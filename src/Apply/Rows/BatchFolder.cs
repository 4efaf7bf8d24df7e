using System.Runtime.InteropServices;
using Cdc.Core.Changes;
using Cdc.Core.Entities;

namespace Cdc.Apply.Rows;

/// <summary>
/// Folds changes per key, column-wise. Rows read in a chunk are never folded with streamed ones: <see cref="Accepts"/> says when the batch
/// must be written first.
/// </summary>
internal sealed class BatchFolder(int entities)
{
    private readonly Dictionary<long, FoldedRow>[] _rows =
    [
        .. Enumerable.Range(0, entities).Select(_ => new Dictionary<long, FoldedRow>()),
    ];
    private const long LargeBatch = 4 << 20;
    private const int LargeRow = 64 << 10;

    private readonly bool[] _keepsVersions = new bool[entities];
    private readonly Dictionary<int, long> _collisions = [];

    private bool _holdsReads;

    /// <summary>Rows that the engine may own keep all their versions.</summary>
    public BatchFolder(EntitySet entities)
        : this(entities.Count)
    {
        foreach (var entity in entities.All.Where(e => e.Reverse is not null))
            _keepsVersions[entity.Index] = true;
    }

    /// <summary>Changes added since the last <see cref="Clear"/>.</summary>
    public int Count { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Some of these changes are deletes.</summary>
    public bool HasDeletes { get; private set; }

    public Dictionary<long, FoldedRow> Of(int entity) => _rows[entity];

    /// <summary>Two keys of the entity have this number (<see cref="Core.Entities.KeyHash"/>); null: none have one.</summary>
    public long? CollisionOf(int entity) => _collisions.TryGetValue(entity, out var number) ? number : null;

    public bool Accepts(RowChange change) => Count == 0 || _holdsReads == (change.Kind == RowChangeKind.Read);

    public void Add(RowChange change)
    {
        _holdsReads = change.Kind == RowChangeKind.Read;
        Count++;
        Bytes += change.Bytes;
        ref var row = ref CollectionsMarshal.GetValueRefOrAddDefault(_rows[change.Schema.Entity], change.Key, out _);
        if (change.SpelledKey is not null)
            Compare(row, change);
        if (change.Kind == RowChangeKind.Delete)
            (row, HasDeletes) = (new FoldedRow { Delete = change, Versions = Versions(row, change) }, true);
        else
        {
            row.Versions = Versions(row, change);
            if (row.Write is null || change.Kind != RowChangeKind.Update)
                Begin(ref row, change);
            else
                Continue(ref row, change);
        }
    }

    /// <summary>Per entity, ascending: rows are written in the order of their index.</summary>
    public long[][] SortedKeys()
    {
        var sorted = new long[_rows.Length][];
        for (var entity = 0; entity < sorted.Length; entity++)
        {
            sorted[entity] = _rows[entity].Count == 0 ? [] : [.. _rows[entity].Keys];
            Array.Sort(sorted[entity]);
        }
        return sorted;
    }

    public void Clear()
    {
        foreach (var rows in _rows)
            rows.Clear();
        _collisions.Clear();
        // The runtime lets large objects pile up to a multiple of what lives before it collects them. Beside writing such a batch, a
        // collection costs nothing.
        if (Bytes >= LargeBatch && Bytes / Count >= LargeRow)
            GC.Collect();
        (Count, Bytes, HasDeletes) = (0, 0, false);
    }

    private OlderImage? Versions(in FoldedRow row, RowChange change) =>
        row.Write is { } write && _keepsVersions[change.Schema.Entity] ? new OlderImage(write, row.Versions) : row.Versions;

    private void Compare(in FoldedRow row, RowChange change)
    {
        if ((row.Write ?? row.Delete) is { } before && !before.SpelledKey.AsSpan().SequenceEqual(change.SpelledKey))
            _collisions[change.Schema.Entity] = change.Key;
    }

    private static void Begin(ref FoldedRow row, RowChange change)
    {
        row.Updates += change.Kind is RowChangeKind.Update or RowChangeKind.Rekey ? 1 : 0;
        (row.Write, row.Older, row.Kind) = (change, null, change.Kind);
    }

    private static void Continue(ref FoldedRow row, RowChange change)
    {
        row.Older = LeavesUnchanged(change) ? new OlderImage(row.Write!, row.Older) : null;
        row.Write = change;
        row.Updates++;
    }

    /// <summary>Only an UPDATE in pgoutput's format can leave a column unchanged: search for its 'u'.</summary>
    private static bool LeavesUnchanged(RowChange change)
    {
        var bytes = change.Image.Span;
        var columns = change.Schema.Columns.Count;
        var at = 2;
        for (var column = 0; column < columns; column++)
        {
            var kind = bytes[at++];
            if (kind == (byte)'u')
                return true;
            if (kind != (byte)'n')
                at += 4 + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
        }
        return false;
    }
}
