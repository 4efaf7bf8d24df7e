using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// Rows of binary COPY, gathered and then sent, or sent while they are gathered. Encoded by hand: it costs a third of a column-by-column
/// importer. Gathered in pieces, because one buffer that doubles holds twice the batch and leaves as much behind.
/// </summary>
internal sealed class CopyRows
{
    /// <summary>What a binary COPY begins with: signature, flags, no extension.</summary>
    public static readonly byte[] Header = [.. "PGCOPY\n"u8, 0xFF, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0];
    public static readonly byte[] Trailer = [0xFF, 0xFF];

    /// <summary>Below the large object heap, with room for one more row of usual size.</summary>
    private const int BlockSize = 64 << 10;
    private const int BlockIsFull = BlockSize - (4 << 10);

    /// <summary>Blocks that are kept for the next batch; the rest, and blocks that one large row made grow, go with this one.</summary>
    private const int KeptBlocks = 64;
    private const int BlocksOfOneSend = 2;

    private readonly List<CopyBuffer> _blocks = [new(BlockSize)];
    private int _block;
    private NpgsqlRawCopyStream? _sending;

    public int Count { get; private set; }

    /// <summary>Full pieces are waiting: worth a round to the engine.</summary>
    public bool HasMuchToSend => _block >= BlocksOfOneSend;

    /// <summary>Begins a row; the caller writes exactly this number of fields.</summary>
    public CopyBuffer Row(int fields)
    {
        Count++;
        if (_blocks[_block].Length > BlockIsFull && ++_block == _blocks.Count)
            _blocks.Add(new CopyBuffer(BlockSize));
        var buffer = _blocks[_block];
        buffer.WriteInt16((short)fields);
        return buffer;
    }

    /// <summary>Four fields: generation, LSN, ordinal, commit time.</summary>
    public static void PositionFields(CopyBuffer buffer, ChangePosition position, long commitMicros)
    {
        buffer.WriteInt32Field(position.Generation);
        buffer.WriteInt64Field((long)position.CommitLsn.Value);
        buffer.WriteInt64Field(position.Ordinal);
        buffer.WriteInt64Field(commitMicros);
    }

    /// <summary>Sends the full pieces; the connection is busy with them until <see cref="SendAsync"/> has sent the rest.</summary>
    public async Task SendAheadAsync(NpgsqlConnection connection, string copySql, CancellationToken ct)
    {
        var stream = await OpenAsync(connection, copySql, ct);
        for (var block = 0; block < _block; block++)
        {
            await stream.WriteAsync(_blocks[block].WrittenMemory, ct);
            Reset(block);
        }
        (_blocks[0], _blocks[_block], _block) = (_blocks[_block], _blocks[0], 0);
    }

    public async Task SendAsync(NpgsqlConnection connection, string copySql, CancellationToken ct)
    {
        await using var stream = await OpenAsync(connection, copySql, ct);
        _sending = null;
        for (var block = 0; block <= _block; block++)
            await stream.WriteAsync(_blocks[block].WrittenMemory, ct);
        await stream.WriteAsync(Trailer, ct);
    }

    public void Clear()
    {
        (Count, _block) = (0, 0);
        if (_blocks.Count > KeptBlocks)
            _blocks.RemoveRange(KeptBlocks, _blocks.Count - KeptBlocks);
        for (var block = 0; block < _blocks.Count; block++)
            Reset(block);
    }

    private void Reset(int block)
    {
        if (_blocks[block].Capacity > BlockSize)
            _blocks[block] = new CopyBuffer(BlockSize);
        else
            _blocks[block].Reset();
    }

    private async ValueTask<NpgsqlRawCopyStream> OpenAsync(NpgsqlConnection connection, string copySql, CancellationToken ct)
    {
        if (_sending is { } open)
            return open;
        var stream = await connection.BeginRawBinaryCopyAsync(copySql, ct);
        await stream.WriteAsync(Header, ct);
        return _sending = stream;
    }
}
