using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Cdc.Log.Avro.Schemas;

namespace Cdc.Log.Avro.Binary;

/// <summary>Reads Avro's binary encoding front to back.</summary>
/// <remarks>Every method throws <see cref="AvroFormatException"/> where the bytes cannot be what was asked for.</remarks>
internal ref struct AvroReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>
    /// Items without bytes (null, an empty record) that a count may claim: a few bytes must not keep a reader busy for ever.
    /// </summary>
    private const int MostEmptyItems = 1 << 16;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    public readonly int Position => _at;

    public readonly int Remaining => _bytes.Length - _at;

    /// <summary>Goes to a place where it was before.</summary>
    public void Return(int position) => _at = position;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long ReadLong()
    {
        if ((uint)_at < (uint)_bytes.Length && _bytes[_at] is var first && first < 0x80)
        {
            _at++;
            return (first >> 1) ^ -(first & 1);
        }
        return ReadLongLong();
    }

    public int ReadInt()
    {
        var value = ReadLong();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw new AvroFormatException($"{value} is not an int.");
    }

    public bool ReadBoolean() =>
        Take(1)[0] switch
        {
            0 => false,
            1 => true,
            var value => throw new AvroFormatException($"A boolean is 0 or 1, not {value}."),
        };

    public float ReadFloat() => BinaryPrimitives.ReadSingleLittleEndian(Take(4));

    public double ReadDouble() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    /// <summary>Bytes, or a string's UTF-8.</summary>
    public ReadOnlySpan<byte> ReadBytes() => Take(ReadLength());

    public ReadOnlySpan<byte> ReadFixed(int size) => Take(size);

    /// <summary>Which branch of a union of this many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int ReadBranch(int branches)
    {
        var branch = ReadLong();
        return (ulong)branch < (ulong)branches
            ? (int)branch
            : throw new AvroFormatException($"A union of {branches} has no branch {branch}.");
    }

    /// <summary>The number of items in the next block of an array or map; 0 ends it.</summary>
    public int ReadBlock() => ReadBlock(out _);

    public void Skip(AvroSchema schema)
    {
        switch (schema.Kind)
        {
            case AvroKind.Null:
                break;
            case AvroKind.Boolean:
                Take(1);
                break;
            case AvroKind.Int or AvroKind.Long or AvroKind.Enum:
                ReadLong();
                break;
            case AvroKind.Float:
                Take(4);
                break;
            case AvroKind.Double:
                Take(8);
                break;
            case AvroKind.Bytes or AvroKind.String:
                ReadBytes();
                break;
            case AvroKind.Fixed:
                Take(((FixedSchema)schema).Size);
                break;
            case AvroKind.Union:
                Skip(((UnionSchema)schema).Branches[ReadBranch(((UnionSchema)schema).Branches.Count)]);
                break;
            case AvroKind.Array:
                SkipBlocks(((ArraySchema)schema).Items, isMap: false);
                break;
            case AvroKind.Map:
                SkipBlocks(((MapSchema)schema).Values, isMap: true);
                break;
            case AvroKind.Record:
                SkipRecord((RecordSchema)schema);
                break;
        }
    }

    private void SkipRecord(RecordSchema schema)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        for (var i = 0; i < schema.Fields.Count; i++)
            Skip(schema.Fields[i].Schema);
    }

    private void SkipBlocks(AvroSchema items, bool isMap)
    {
        while (ReadBlock(out var size) is var count && count != 0)
        {
            if (size >= 0)
            {
                Take(size);
                continue;
            }
            for (; count > 0; count--)
            {
                if (isMap)
                    ReadBytes();
                Skip(items);
            }
        }
    }

    /// <param name="size">The block's bytes, where it says them; else -1.</param>
    private int ReadBlock(out int size)
    {
        var count = ReadLong();
        size = -1;
        if (count < 0)
        {
            count = -count;
            size = ReadLength();
        }
        if (count < 0 || count > Math.Max(Remaining, MostEmptyItems))
            throw new AvroFormatException($"A block of {count} items has {Remaining} bytes left.");
        return (int)count;
    }

    private int ReadLength()
    {
        var length = ReadLong();
        return length >= 0 && length <= Remaining
            ? (int)length
            : throw new AvroFormatException($"A length of {length} where {Remaining} bytes are left.");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > Remaining)
            throw new AvroFormatException($"{count} bytes are needed where {Remaining} are left.");
        var taken = _bytes.Slice(_at, count);
        _at += count;
        return taken;
    }

    private long ReadLongLong()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (_at >= _bytes.Length)
                throw new AvroFormatException("The bytes end in the middle of a number.");
            var part = _bytes[_at++];
            // The tenth byte has room for one bit.
            if (shift == 63 && part > 1)
                break;
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return (long)(value >> 1) ^ -(long)(value & 1);
        }
        throw new AvroFormatException("A number has more than 64 bits.");
    }
}

/// <summary>Bytes that are not what their schema says.</summary>
internal sealed class AvroFormatException(string message) : Exception(message);
