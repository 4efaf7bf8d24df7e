namespace Cdc.Core.Changes;

/// <summary>
/// Copies rows out of the receive buffer into blocks that many rows share: one allocation for hundreds of rows. A block stays below the
/// large object threshold and lives as long as its last row; large rows get their own array, so that little of a block is wasted.
/// </summary>
public sealed class ImageBlocks
{
    private const int BlockSize = 64 << 10;
    private const int LargeRow = BlockSize / 8;

    private byte[] _block = [];
    private int _used;

    public RowImage Copy(ReadOnlySpan<byte> row)
    {
        if (row.Length > LargeRow)
            return new RowImage(row.ToArray(), 0, row.Length);
        if (row.Length > _block.Length - _used)
            (_block, _used) = (GC.AllocateUninitializedArray<byte>(BlockSize), 0);
        row.CopyTo(_block.AsSpan(_used));
        var image = new RowImage(_block, _used, row.Length);
        _used += row.Length;
        return image;
    }
}
