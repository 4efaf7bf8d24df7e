using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// Rows of binary COPY, gathered and then sent. Encoded by hand: it costs a third of a column-by-column importer. Gathered in pieces, because
/// one buffer that doubles holds twice the batch and leaves as much behind.
/// </summary>
internal sealed class CopyRows
{
    private static readonly byte[] Header = [.. "PGCOPY\n"u8, 0xFF, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0];
    private static readonly byte[] Trailer = [0xFF, 0xFF];

    /// <summary>A piece that has reached this is followed by another one.</summary>
    private const int PieceSize = 256 << 10;
    /// <summary>Memory that is kept for the next batch: an ordinary batch fits, one of large rows is given back.</summary>
    private const int KeptBytes = 8 << 20;

    private readonly List<CopyBuffer> _pieces = [new()];
    private int _current;

    public int Count { get; private set; }

    /// <summary>Begins a row; the caller writes exactly this number of fields.</summary>
    public CopyBuffer Row(int fields)
    {
        Count++;
        if (_pieces[_current].Length >= PieceSize && ++_current == _pieces.Count) _pieces.Add(new CopyBuffer());
        var piece = _pieces[_current];
        piece.WriteInt16((short)fields);
        return piece;
    }

    /// <summary>Four fields: generation, LSN, ordinal, commit time.</summary>
    public static void PositionFields(CopyBuffer buffer, RowChange change)
    {
        buffer.WriteInt32Field(change.Position.Generation);
        buffer.WriteInt64Field((long)change.Position.CommitLsn.Value);
        buffer.WriteInt64Field(change.Position.Ordinal);
        buffer.WriteInt64Field(change.CommitMicros);
    }

    public async Task SendAsync(NpgsqlConnection connection, string copySql, CancellationToken ct)
    {
        await using var stream = await connection.BeginRawBinaryCopyAsync(copySql, ct).ConfigureAwait(false);
        await stream.WriteAsync(Header, ct).ConfigureAwait(false);
        for (var i = 0; i <= _current; i++) await stream.WriteAsync(_pieces[i].WrittenMemory, ct).ConfigureAwait(false);
        await stream.WriteAsync(Trailer, ct).ConfigureAwait(false);
    }

    public void Clear()
    {
        (Count, _current) = (0, 0);
        var kept = 0L;
        var pieces = _pieces.FindIndex(piece => (kept += piece.Capacity) > KeptBytes);
        if (pieces >= 0) _pieces.RemoveRange(pieces, _pieces.Count - pieces);
        if (_pieces.Count == 0) _pieces.Add(new CopyBuffer());
        foreach (var piece in _pieces) piece.Reset();
    }
}
