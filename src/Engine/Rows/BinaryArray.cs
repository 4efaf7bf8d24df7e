using System.Buffers.Binary;
using Cdc.Core.Changes;

namespace Cdc.Engine.Rows;

/// <summary>
/// One column of some rows as a parameter: an array of one dimension in PostgreSQL's binary form, made of the fields of binary COPY as they
/// are (both are an int32 length or -1, then the bytes).
/// </summary>
/// <param name="elementType">OID of the element's type, a built-in one.</param>
public sealed class BinaryArray(uint elementType)
{
    /// <summary>Dimensions, whether there are NULLs, the element's type, length, lower bound.</summary>
    internal const int HeaderLength = 5 * sizeof(int);

    private readonly CopyBuffer _elements = new(256);
    private int _count;
    private bool _hasNull;

    /// <summary>Bytes on the wire.</summary>
    public int Length => HeaderLength + _elements.Length;

    /// <summary>What follows the header.</summary>
    internal ReadOnlySpan<byte> Elements => _elements.WrittenSpan;

    /// <inheritdoc cref="Elements"/>
    internal ReadOnlyMemory<byte> ElementsMemory => _elements.WrittenMemory;

    public void Clear()
    {
        _elements.Reset();
        (_count, _hasNull) = (0, false);
    }

    /// <summary>Takes the first field of <paramref name="fields"/>.</summary>
    /// <returns>The fields behind it.</returns>
    public ReadOnlySpan<byte> Add(ReadOnlySpan<byte> fields)
    {
        var length = BinaryPrimitives.ReadInt32BigEndian(fields);
        var end = sizeof(int) + Math.Max(length, 0);
        _hasNull |= length < 0;
        _count++;
        _elements.Write(fields[..end]);
        return fields[end..];
    }

    /// <param name="header">Of <see cref="HeaderLength"/> bytes.</param>
    internal void WriteHeader(Span<byte> header)
    {
        BinaryPrimitives.WriteInt32BigEndian(header, 1);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], _hasNull ? 1 : 0);
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], elementType);
        BinaryPrimitives.WriteInt32BigEndian(header[12..], _count);
        BinaryPrimitives.WriteInt32BigEndian(header[16..], 1);
    }
}
