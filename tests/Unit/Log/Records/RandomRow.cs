using System.Numerics;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;
using Cdc.Tests.Support.Records;

namespace Cdc.Tests.Unit.Log.Records;

/// <summary>Values of every type, the ends of each range often among them.</summary>
internal sealed class RandomRow(Random random)
{
    public byte[]?[] Next(long key, bool mayBePartial) =>
        [
            .. SampleTable.AllTypes.Select(column =>
                column.IsKey ? SampleTable.Int32((int)key)
                : random.Next(6) == 0 ? null
                : mayBePartial && random.Next(5) == 0 ? SampleTable.Unchanged
                : Value(column)
            ),
        ];

    private byte[] Value(ColumnSchema column) =>
        column.Name switch
        {
            "b" => [(byte)random.Next(2)],
            "i2" => SampleTable.Int16(Pick(short.MinValue, short.MaxValue, (short)0, (short)random.Next())),
            "i4" => SampleTable.Int32(Pick(int.MinValue, int.MaxValue, 0, random.Next())),
            "i8" => SampleTable.Int64(Pick(long.MinValue, long.MaxValue, -1, random.NextInt64())),
            "f4" => SampleTable.Float4(Pick(float.NaN, float.PositiveInfinity, -0f, random.NextSingle())),
            "f8" => SampleTable.Float8(
                Pick(double.NaN, double.NegativeInfinity, double.Epsilon, BitConverter.Int64BitsToDouble(random.NextInt64()))
            ),
            // PostgreSQL's first and last day and moment, its infinities, and where 64 bits from 1970 end.
            "d" => SampleTable.Int32(Pick(int.MaxValue, int.MinValue, -2_451_545, 2_145_031_948, random.Next(-700_000, 3_000_000))),
            "ts" or "tz" => SampleTable.Int64(
                Pick(
                    long.MaxValue,
                    long.MinValue,
                    -211_813_488_000_000_000,
                    9_223_371_331_199_999_999,
                    long.MaxValue - 946_684_800_000_000,
                    long.MaxValue - 946_684_800_000_001,
                    -63_113_904_000_000_000,
                    random.NextInt64(-100_000_000_000_000_000, 300_000_000_000_000_000)
                )
            ),
            "n" => Numeric(random.Next(0, 40)),
            "n92" => Numeric(2),
            "u" => Bytes(16),
            "bin" => Bytes(random.Next(300)),
            "jb" => [1, .. Encoding.UTF8.GetBytes(Text())],
            _ => Encoding.UTF8.GetBytes(Text()),
        };

    private byte[] Numeric(int scale)
    {
        var number = random.Next(8) switch
        {
            0 => SqlNumeric.NaN,
            1 => SqlNumeric.PositiveInfinity,
            2 => SqlNumeric.NegativeInfinity,
            3 => new SqlNumeric(0, scale),
            4 => new SqlNumeric(new BigInteger(Bytes(30)), scale),
            5 => new SqlNumeric(Pick(long.MinValue, long.MaxValue, 127, 128, -128, -129), scale),
            _ => new SqlNumeric(random.NextInt64(-1_000_000_000, 1_000_000_000), scale),
        };
        var field = new CopyBuffer();
        NumericFormat.WriteField(number, field);
        return field.WrittenSpan[4..].ToArray();
    }

    private string Text() => string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => Pick("a", "ß", "日", "😀", "\"", "\\", " ")));

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private T Pick<T>(params T[] values) => values[random.Next(values.Length)];
}
