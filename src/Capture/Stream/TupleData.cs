using System.Buffers.Binary;
using System.Buffers.Text;

namespace Cdc.Capture.Stream;

/// <summary>pgoutput's TupleData: a count, then for each column a kind and, for values, a length and the bytes.</summary>
internal static class TupleData
{
    private const byte Binary = (byte)'b';
    private const byte Text = (byte)'t';

    public static bool IsText(byte kind) => kind is Text;

    /// <summary>A column as it was sent: kind, and for a value its length and bytes.</summary>
    public static ReadOnlySpan<byte> Column(ReadOnlySpan<byte> tuple, int column)
    {
        var columns = new TupleColumns(tuple);
        for (; column >= 0; column--)
            columns.Next();
        return columns.Raw;
    }

    public static bool HasBytes(byte kind) => kind is Binary or Text;

    /// <summary>The integer in a column; null if the tuple does not have it (NULL, or not part of the replica identity).</summary>
    public static long? Integer(ReadOnlySpan<byte> tuple, int column)
    {
        var at = sizeof(short);
        for (; column > 0; column--)
            at += HasBytes(tuple[at]) ? 1 + sizeof(int) + BinaryPrimitives.ReadInt32BigEndian(tuple[(at + 1)..]) : 1;
        if (!HasBytes(tuple[at]))
            return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(tuple[(at + 1)..]);
        var value = tuple.Slice(at + 1 + sizeof(int), length);
        return tuple[at] == Text ? FromText(value) : FromBinary(value);
    }

    private static long FromBinary(ReadOnlySpan<byte> value) =>
        value.Length switch
        {
            sizeof(short) => BinaryPrimitives.ReadInt16BigEndian(value),
            sizeof(int) => BinaryPrimitives.ReadInt32BigEndian(value),
            sizeof(long) => BinaryPrimitives.ReadInt64BigEndian(value),
            _ => throw new InvalidDataException($"An integer key of {value.Length} bytes."),
        };

    private static long FromText(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out long key, out var used) && used == value.Length
            ? key
            : throw new InvalidDataException("A key column's text is not an integer.");
}
