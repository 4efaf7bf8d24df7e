using System.Buffers.Binary;
using System.Text;
using Cdc.Core.Changes;

namespace Cdc.Capture.Stream;

/// <summary>Takes one pgoutput message apart, from its first byte to its last. All numbers are in network order.</summary>
internal ref struct PgOutputReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    public byte Byte() => Take(1)[0];

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public Lsn Lsn() => new(BinaryPrimitives.ReadUInt64BigEndian(Take(8)));

    /// <summary>Up to a zero byte.</summary>
    public string Text()
    {
        var length = _bytes[_at..].IndexOf((byte)0);
        if (length < 0)
            throw Cut();
        var text = Encoding.UTF8.GetString(Take(length));
        _at++;
        return text;
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)(_bytes.Length - _at))
            throw Cut();
        var taken = _bytes.Slice(_at, count);
        _at += count;
        return taken;
    }

    /// <summary>One TupleData, up to its end, as it is.</summary>
    public ReadOnlySpan<byte> Tuple()
    {
        var start = _at;
        for (var columns = Int16(); columns > 0; columns--)
            SkipColumn();
        return _bytes[start.._at];
    }

    /// <summary>The rest of the message, which is one TupleData: nothing has to be walked.</summary>
    public ReadOnlySpan<byte> LastTuple() => Take(_bytes.Length - _at);

    private void SkipColumn()
    {
        if (TupleData.HasBytes(Byte()))
            Take(Int32());
    }

    private readonly InvalidDataException Cut() => new($"A pgoutput message of {_bytes.Length} bytes ends too early, at byte {_at}.");
}
