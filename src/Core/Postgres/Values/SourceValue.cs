using System.Buffers.Binary;

namespace Cdc.Core.Postgres.Values;

/// <summary>Reads PostgreSQL's binary values; the width separates int2, int4 and int8, float4 and float8 too.</summary>
public static class SourceValue
{
    public static long Integer(ReadOnlySpan<byte> bytes) =>
        bytes.Length switch
        {
            4 => BinaryPrimitives.ReadInt32BigEndian(bytes),
            8 => BinaryPrimitives.ReadInt64BigEndian(bytes),
            2 => BinaryPrimitives.ReadInt16BigEndian(bytes),
            _ => throw new InvalidDataException(
                $"{bytes.Length} bytes are not an integer; was the column's type checked with SourceTypes.CanRead?"
            ),
        };

    public static double Float(ReadOnlySpan<byte> bytes) =>
        bytes.Length switch
        {
            8 => BinaryPrimitives.ReadDoubleBigEndian(bytes),
            4 => BinaryPrimitives.ReadSingleBigEndian(bytes),
            _ => throw new InvalidDataException(
                $"{bytes.Length} bytes are not a float; was the column's type checked with SourceTypes.CanRead?"
            ),
        };
}
