using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Engine.Rows;
using Cdc.Expressions.Rows;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// Copies a chunk straight into the table, in whose range the engine has no row, while it is being encoded: the engine writes the first
/// rows when the last are still to be made, and nothing is kept for them.
/// </summary>
internal sealed class EmptyRangeCopy(
    RowTransform transform,
    string copySql,
    NpgsqlConnection connection,
    EntryIndex entries,
    KeyHighWater highest,
    TouchedRows? touched
)
{
    private const int BlockSize = 64 << 10;
    private const int BlockIsFull = BlockSize - (4 << 10);

    private readonly EntityDeclaration _entity = transform.Entity;
    private readonly SourceRow _row = new(transform.Entity.SourceColumns.Count);
    private CopyBuffer _block = new(BlockSize);

    /// <summary>
    /// Returns the rows that must not go straight in: those that break a rule, and those whose key has an entry to be closed.
    /// </summary>
    /// <exception cref="PostgresException">The engine refuses a row, and with it all of them.</exception>
    public async Task<IReadOnlyList<RowChange>> WriteAsync(ChunkRows rows, Chunk chunk, CancellationToken ct)
    {
        var left = new List<RowChange>();
        var anyEntries = entries.Any(_entity.Name);
        await using var copy = await connection.BeginRawBinaryCopyAsync(copySql, ct);
        await copy.WriteAsync(CopyRows.Header, ct);
        foreach (var row in rows.PlacedIn(chunk))
        {
            if ((anyEntries && entries.Contains(_entity.Name, row.Key)) || !TryEncode(row, rows))
                left.Add(rows.Change(row));
            if (_block.Length >= BlockIsFull)
                await SendAsync(copy, ct);
        }
        await SendAsync(copy, ct);
        await copy.WriteAsync(CopyRows.Trailer, ct);
        if (rows.Rows.Count == 0)
            return left;
        highest.Raise(_entity.Index, rows.Rows[^1].Key);
        // Seldom so few that a list of them would save a check.
        touched?.AddEverything();
        return left;
    }

    private bool TryEncode(in PlacedRow row, ChunkRows rows)
    {
        _row.Read(row.Image, rows.Schema);
        if (_row.IsPartial || transform.Check(_row).IsBroken)
            return false;
        _block.WriteInt16((short)(_entity.Columns.Count + 5));
        _block.WriteInt64Field(row.Key);
        transform.WriteColumns(_row, _block);
        CopyRows.PositionFields(_block, row.Position, rows.SnapshotMicros);
        return true;
    }

    private async Task SendAsync(NpgsqlRawCopyStream copy, CancellationToken ct)
    {
        await copy.WriteAsync(_block.WrittenMemory, ct);
        // A large row made it grow: that much is not kept for the small ones.
        if (_block.Capacity > BlockSize)
            _block = new CopyBuffer(BlockSize);
        else
            _block.Reset();
    }
}
