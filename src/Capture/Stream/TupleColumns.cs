using System.Buffers.Binary;

namespace Cdc.Capture.Stream;

/// <summary>The columns of one TupleData, one after the other.</summary>
internal ref struct TupleColumns(ReadOnlySpan<byte> tuple)
{
    /// <summary>The kind of a large value that was not sent, because it did not change.</summary>
    public const byte Unchanged = (byte)'u';

    private readonly ReadOnlySpan<byte> _tuple = tuple;
    private int _at = sizeof(short);

    /// <summary>The column as it was sent: kind, and for a value its length and bytes.</summary>
    public ReadOnlySpan<byte> Raw { get; private set; }

    public readonly byte Kind => Raw[0];

    public bool Next()
    {
        if (_at >= _tuple.Length)
            return false;
        var length = TupleData.HasBytes(_tuple[_at]) ? 1 + sizeof(int) + BinaryPrimitives.ReadInt32BigEndian(_tuple[(_at + 1)..]) : 1;
        Raw = _tuple.Slice(_at, length);
        _at += length;
        return true;
    }
}
