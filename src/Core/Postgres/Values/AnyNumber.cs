using System.Buffers.Binary;

namespace Cdc.Core.Postgres.Values;

/// <summary>A value of any type of numbers, cast to numeric as PostgreSQL does.</summary>
public static class AnyNumber
{
    /// <exception cref="InvalidDataException">The type is none of numbers.</exception>
    public static SqlNumeric Read(uint typeOid, ReadOnlySpan<byte> bytes) =>
        typeOid switch
        {
            TypeOids.Float8 => FloatConversion.ToNumeric(BinaryPrimitives.ReadDoubleBigEndian(bytes), FloatConversion.DoubleDigits),
            TypeOids.Float4 => FloatConversion.ToNumeric(BinaryPrimitives.ReadSingleBigEndian(bytes), FloatConversion.SingleDigits),
            TypeOids.Numeric => NumericFormat.Read(bytes),
            TypeOids.Int2 or TypeOids.Int4 or TypeOids.Int8 => new SqlNumeric(SourceValue.Integer(bytes), 0),
            _ => throw new InvalidDataException(
                $"A column of the type {typeOid} is no number; was the column's type checked with SourceTypes.CanRead?"
            ),
        };
}
