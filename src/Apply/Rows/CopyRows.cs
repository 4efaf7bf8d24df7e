using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>Rows of binary COPY, gathered and then sent. Encoded by hand: it costs a third of a column-by-column importer.</summary>
internal sealed class CopyRows
{
    private static readonly byte[] Header = [.. "PGCOPY\n"u8, 0xFF, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0];
    private static readonly byte[] Trailer = [0xFF, 0xFF];

    private readonly CopyBuffer _buffer = new();

    public int Count { get; private set; }

    /// <summary>Begins a row; the caller writes exactly this number of fields.</summary>
    public CopyBuffer Row(int fields)
    {
        Count++;
        _buffer.WriteInt16((short)fields);
        return _buffer;
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
        await stream.WriteAsync(_buffer.WrittenMemory, ct).ConfigureAwait(false);
        await stream.WriteAsync(Trailer, ct).ConfigureAwait(false);
    }

    public void Clear()
    {
        Count = 0;
        _buffer.Reset();
    }
}
