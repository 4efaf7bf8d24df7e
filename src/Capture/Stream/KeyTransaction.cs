using Cdc.Core.Changes;

namespace Cdc.Capture.Stream;

/// <summary>What a key must become at the end of a transaction in which rows met at it.</summary>
/// <param name="Row">The row that has it now. Null: the stream does not say whether the row that had it before has it still.</param>
/// <param name="IsShown">In the order of the changes some row has it.</param>
/// <param name="Last">The row that came there last.</param>
internal readonly record struct MetKey(long Key, KeyRow? Row, bool IsShown, KeyRow Last);

/// <summary>A row that came to a key in the open transaction.</summary>
internal sealed record KeyRow(RowChangeKind Kind, RowImage Image, RowImage Before);

/// <summary>
/// The rows that came to the keys of one relation in the open transaction. Where a key's uniqueness is checked at the end of a statement or
/// at COMMIT (DEFERRABLE), a row comes to a key before the row that had it has left. In the order of the stream the later "delete" is then
/// about the one that was there before, which only the old row's values say. Bounded: beyond it the table must be read again.
/// </summary>
internal sealed class KeyTransaction(TableSchema schema, KeyPlaces places, int mostRows, long mostBytes)
{
    private readonly Dictionary<long, Rows> _keys = [];
    private readonly bool[] _identity = [.. schema.Columns.Select(c => c.IsKey)];
    private int _rows;
    private long _bytes;
    private bool _isTooLarge;
    private bool _hasLeft;

    private sealed class Rows
    {
        public List<KeyRow> Here { get; } = [];

        /// <summary>The row that had the key before the transaction has left it, or is among those that are here.</summary>
        public bool FormerIsKnown { get; set; }

        /// <summary>The row of a reader that takes the last change; null: none.</summary>
        public KeyRow? Shown { get; set; }

        public KeyRow Last { get; set; } = null!;
    }

    /// <summary>Rows came and left in numbers that cannot be remembered.</summary>
    public bool MustReadAgain => _isTooLarge && _hasLeft;

    /// <summary>The columns have changed within the transaction: what was remembered cannot be compared any more.</summary>
    public void Forget()
    {
        (_isTooLarge, _hasLeft) = (true, true);
        _keys.Clear();
    }

    /// <summary>A row came to the key.</summary>
    public void Came(long key, KeyRow row)
    {
        if (!HasRoom(row))
            return;
        if (!_keys.TryGetValue(key, out var rows))
            _keys[key] = rows = new Rows();
        rows.Here.Add(row);
        (rows.Shown, rows.Last) = (row, row);
    }

    /// <summary>The row with these identity values left the key.</summary>
    public void Left(long key, ReadOnlySpan<byte> old)
    {
        _hasLeft = true;
        if (!_keys.TryGetValue(key, out var rows))
            return;
        if (!Take(rows, old))
            rows.FormerIsKnown = true;
        rows.Shown = null;
    }

    /// <summary>The row with these identity values changed, and stays at the key. Of a key to which none came it is an ordinary update.</summary>
    public void Changed(long key, ReadOnlySpan<byte> old, KeyRow row)
    {
        _hasLeft = true;
        if (!_keys.TryGetValue(key, out var rows))
            return;
        if (!Take(rows, old))
            rows.FormerIsKnown = true;
        rows.Here.Add(row);
        (rows.Shown, rows.Last) = (row, row);
    }

    /// <summary>Keys at which the last change in the order of the stream is not what the transaction has left there.</summary>
    public IEnumerable<MetKey> Met()
    {
        foreach (var (key, rows) in _keys)
        {
            if (rows.Here is [var only] && (only == rows.Shown || HasSameBytes(only, rows.Shown)))
                continue;
            if (rows.Here.Count == 0 && rows.FormerIsKnown)
                continue;
            yield return new MetKey(key, rows.Here is [var row] ? row : null, rows.Shown is not null, rows.Last);
        }
    }

    /// <summary>A row at the key of which nothing is known: all columns but the key are left as they were.</summary>
    public RowImage Unknown(KeyRow row)
    {
        var bytes = row.Image.Span;
        var image = new MemoryStream();
        image.Write(bytes[..sizeof(short)]);
        var columns = new TupleColumns(bytes);
        for (var i = 0; columns.Next(); i++)
            if (places.Has(i))
                image.Write(columns.Raw);
            else
                image.WriteByte(TupleColumns.Unchanged);
        return new RowImage(image.ToArray(), 0, (int)image.Length);
    }

    private bool HasRoom(KeyRow row)
    {
        _rows++;
        _bytes += row.Image.Length + row.Before.Length;
        if (_isTooLarge || _rows > mostRows || _bytes > mostBytes)
        {
            _isTooLarge = true;
            _keys.Clear();
        }
        return !_isTooLarge;
    }

    private bool Take(Rows rows, ReadOnlySpan<byte> old)
    {
        for (var i = rows.Here.Count - 1; i >= 0; i--)
            if (IsOf(rows.Here[i], old))
            {
                rows.Here.RemoveAt(i);
                return true;
            }
        return false;
    }

    /// <summary>
    /// The old values are those of the replica identity: all columns, or those of an index that is unique at every moment. Rows that agree in
    /// them are the same row, or equal in everything.
    /// </summary>
    private bool IsOf(KeyRow row, ReadOnlySpan<byte> old)
    {
        var wanted = new TupleColumns(old);
        var has = new TupleColumns(row.Image.Span);
        var before = row.Before.IsEmpty ? default : new TupleColumns(row.Before.Span);
        for (var i = 0; wanted.Next(); i++)
        {
            has.Next();
            if (!row.Before.IsEmpty)
                before.Next();
            if (!_identity[i])
                continue;
            var isLeftOut = has.Kind == TupleColumns.Unchanged;
            if (isLeftOut && row.Before.IsEmpty)
                continue;
            if (!wanted.Raw.SequenceEqual(isLeftOut ? before.Raw : has.Raw))
                return false;
        }
        return true;
    }

    private static bool HasSameBytes(KeyRow row, KeyRow? shown) => shown is not null && row.Image.Span.SequenceEqual(shown.Image.Span);
}
