using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Cdc.Log.Avro.Binary;

/// <summary>Writes Avro's binary encoding. What was written is in the output after <see cref="Flush"/>.</summary>
internal ref struct AvroWriter(IBufferWriter<byte> output)
{
    private const int LongestNumber = 10;
    private const int Room = 512;

    private Span<byte> _free = output.GetSpan(Room);
    private int _at;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteLong(long value)
    {
        Reserve(LongestNumber);
        var rest = (ulong)(value << 1) ^ (ulong)(value >> 63);
        while (rest >= 0x80)
        {
            _free[_at++] = (byte)(rest | 0x80);
            rest >>= 7;
        }
        _free[_at++] = (byte)rest;
    }

    public void WriteBoolean(bool value) => WriteByte(value ? (byte)1 : (byte)0);

    public void WriteFloat(float value)
    {
        Reserve(4);
        BinaryPrimitives.WriteSingleLittleEndian(_free[_at..], value);
        _at += 4;
    }

    public void WriteDouble(double value)
    {
        Reserve(8);
        BinaryPrimitives.WriteDoubleLittleEndian(_free[_at..], value);
        _at += 8;
    }

    /// <summary>Bytes, or a string's UTF-8, with their length before them.</summary>
    public void WriteBytes(scoped ReadOnlySpan<byte> value)
    {
        WriteLong(value.Length);
        WriteRaw(value);
    }

    /// <summary>A fixed, or what is encoded already.</summary>
    public void WriteRaw(scoped ReadOnlySpan<byte> value)
    {
        Reserve(value.Length);
        value.CopyTo(_free[_at..]);
        _at += value.Length;
    }

    public void WriteByte(byte value)
    {
        Reserve(1);
        _free[_at++] = value;
    }

    public void Flush()
    {
        output.Advance(_at);
        _free = [];
        _at = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Reserve(int count)
    {
        if (_free.Length - _at < count)
            Grow(count);
    }

    private void Grow(int count)
    {
        output.Advance(_at);
        _free = output.GetSpan(Math.Max(count, Room));
        _at = 0;
    }
}
