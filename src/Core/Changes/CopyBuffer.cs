using System.Buffers.Binary;

namespace Cdc.Core.Changes;

/// <summary>Bytes of binary COPY, in network order. Grows, and is reused after <see cref="Reset"/>.</summary>
public sealed class CopyBuffer(int capacity = 4096)
{
    private const int Headroom = 4096;

    private byte[] _bytes = new byte[Math.Max(capacity, 16)];

    public int Length { get; private set; }

    /// <summary>Bytes it can hold without growing.</summary>
    public int Capacity => _bytes.Length;

    /// <summary>Valid until the next write.</summary>
    public ReadOnlySpan<byte> WrittenSpan => new(_bytes, 0, Length);

    /// <summary>Valid until the next write.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => new(_bytes, 0, Length);

    public void Reset() => Length = 0;

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Take(2), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Take(4), value);

    public void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>A field that is NULL.</summary>
    public void WriteNull() => WriteInt32(-1);

    /// <summary>A field: its length, then its bytes.</summary>
    public void WriteField(ReadOnlySpan<byte> bytes)
    {
        WriteInt32(bytes.Length);
        Write(bytes);
    }

    public void WriteInt16Field(short value)
    {
        var field = Take(6);
        BinaryPrimitives.WriteInt32BigEndian(field, 2);
        BinaryPrimitives.WriteInt16BigEndian(field[4..], value);
    }

    public void WriteInt32Field(int value)
    {
        var field = Take(8);
        BinaryPrimitives.WriteInt32BigEndian(field, 4);
        BinaryPrimitives.WriteInt32BigEndian(field[4..], value);
    }

    public void WriteInt64Field(long value)
    {
        var field = Take(12);
        BinaryPrimitives.WriteInt32BigEndian(field, 8);
        BinaryPrimitives.WriteInt64BigEndian(field[4..], value);
    }

    public void WriteBooleanField(bool value)
    {
        var field = Take(5);
        BinaryPrimitives.WriteInt32BigEndian(field, 1);
        field[4] = value ? (byte)1 : (byte)0;
    }

    /// <summary>Room for <paramref name="count"/> bytes, which count as written.</summary>
    public Span<byte> Take(int count)
    {
        if (_bytes.Length - Length < count)
            Grow(count);
        var span = new Span<byte>(_bytes, Length, count);
        Length += count;
        return span;
    }

    // A large field gets room for the small ones behind it, or the first of them would double it.
    private void Grow(int count) =>
        Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(_bytes.Length * 2L, (long)Length + count + Headroom)));
}
