using System.Buffers.Binary;
using Cdc.Core.Changes;

namespace Cdc.Capture.Snapshot;

/// <summary>Cuts binary COPY into rows. Rows are slices of blocks below the large object heap; a larger row has its own block.</summary>
internal sealed class CopyOutRows(System.IO.Stream copy)
{
    private const int BlockSize = 64 << 10;
    private const int HeaderLength = 19;
    private const int Headroom = 4096;

    private byte[] _block = new byte[BlockSize];
    private int _start;
    private int _end;
    private bool _headerRead;

    /// <summary>Null at the end.</summary>
    public ValueTask<RowImage?> NextAsync(CancellationToken ct) => TryCut(out var image) ? new(image) : ReadNextAsync(ct);

    /// <summary>The common case without a state machine: the whole row is in the block.</summary>
    private bool TryCut(out RowImage image)
    {
        image = default;
        var bytes = _block.AsSpan(_start, _end - _start);
        if (!_headerRead || bytes.Length < 2)
            return false;
        var columns = BinaryPrimitives.ReadInt16BigEndian(bytes);
        if (columns < 0)
            return false;
        var length = 2;
        for (var column = 0; column < columns; column++)
        {
            if (bytes.Length < length + 4)
                return false;
            length += 4 + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(bytes[length..]));
        }
        if (bytes.Length < length)
            return false;
        image = new RowImage(_block, _start, length);
        _start += length;
        return true;
    }

    private async ValueTask<RowImage?> ReadNextAsync(CancellationToken ct)
    {
        if (!_headerRead)
        {
            await NeedAsync(HeaderLength, ct);
            _start += HeaderLength;
            _headerRead = true;
        }
        await NeedAsync(2, ct);
        var columns = BinaryPrimitives.ReadInt16BigEndian(_block.AsSpan(_start));
        if (columns < 0)
            return null;
        var length = 2;
        for (var column = 0; column < columns; column++)
        {
            if (_end - _start < length + 4)
                await NeedAsync(length + 4, ct);
            length += 4 + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(_block.AsSpan(_start + length)));
        }
        await NeedAsync(length, ct);
        var image = new RowImage(_block, _start, length);
        _start += length;
        return image;
    }

    /// <summary>Makes this many bytes stand together in the block. Rows given out keep the block they are in.</summary>
    private async ValueTask NeedAsync(int bytes, CancellationToken ct)
    {
        if (_end - _start >= bytes)
            return;
        if (_start + bytes > _block.Length)
        {
            // Room behind a large column for the small ones that follow it, or each of them would move the row to another block.
            var block = GC.AllocateUninitializedArray<byte>(bytes < BlockSize ? BlockSize : bytes + Headroom);
            Buffer.BlockCopy(_block, _start, block, 0, _end - _start);
            (_block, _start, _end) = (block, 0, _end - _start);
        }
        while (_end - _start < bytes)
        {
            var read = await copy.ReadAsync(_block.AsMemory(_end), ct);
            if (read == 0)
                throw new EndOfStreamException("COPY ended in the middle of a row.");
            _end += read;
        }
    }
}
