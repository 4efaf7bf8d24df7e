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

    public static void Int64Field(CopyBuffer buffer, long value)
    {
        buffer.WriteInt32(8);
        buffer.WriteInt64(value);
    }

    public static void Int32Field(CopyBuffer buffer, int value)
    {
        buffer.WriteInt32(4);
        buffer.WriteInt32(value);
    }

    public static void BooleanField(CopyBuffer buffer, bool value)
    {
        buffer.WriteInt32(1);
        buffer.WriteByte(value ? (byte)1 : (byte)0);
    }

    /// <summary>Four fields: generation, LSN, ordinal, commit time.</summary>
    public static void PositionFields(CopyBuffer buffer, RowChange change)
    {
        Int32Field(buffer, change.Position.Generation);
        Int64Field(buffer, (long)change.Position.CommitLsn.Value);
        Int64Field(buffer, change.Position.Ordinal);
        Int64Field(buffer, change.CommitMicros);
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
