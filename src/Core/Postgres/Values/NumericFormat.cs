using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Cdc.Core.Changes;

namespace Cdc.Core.Postgres.Values;

/// <summary>
/// PostgreSQL's binary numeric: int16 groups, weight of the first group, sign, display scale; then groups of four decimal digits.
/// </summary>
public static class NumericFormat
{
    private const int Header = 8;

    /// <summary>Sixteen digits: what 64 bits hold whatever the digits.</summary>
    private const int SmallGroups = 4;
    private const ushort Positive = 0x0000,
        Negative = 0x4000,
        NaN = 0xC000,
        PositiveInfinity = 0xD000,
        NegativeInfinity = 0xF000;

    public static SqlNumeric Read(ReadOnlySpan<byte> bytes)
    {
        var count = BinaryPrimitives.ReadInt16BigEndian(bytes);
        var weight = BinaryPrimitives.ReadInt16BigEndian(bytes[2..]);
        var sign = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        var scale = BinaryPrimitives.ReadInt16BigEndian(bytes[6..]);
        switch (sign)
        {
            case NaN:
                return SqlNumeric.NaN;
            case PositiveInfinity:
                return SqlNumeric.PositiveInfinity;
            case NegativeInfinity:
                return SqlNumeric.NegativeInfinity;
        }
        // The groups give a value of this many decimals; the display scale may ask for more, or cut the last group's zeros.
        var decimals = (count - weight - 1) * 4;
        if (Math.Max(count, weight + 1) <= SmallGroups)
        {
            var small = Small(bytes[Header..], count, Math.Max(0, -decimals / 4));
            return new SqlNumeric(sign == Negative ? -small : small, Math.Max(0, decimals)).Round(scale);
        }
        var magnitude = Large(bytes[Header..], count);
        if (sign == Negative)
            magnitude = -magnitude;
        if (decimals < 0)
            (magnitude, decimals) = (magnitude * SqlNumeric.PowerOfTen(-decimals), 0);
        return new SqlNumeric(magnitude, decimals).Round(scale);
    }

    /// <summary>Writes a COPY field: the length and the value.</summary>
    public static void WriteField(in SqlNumeric value, CopyBuffer buffer)
    {
        if (!value.IsFinite)
            WriteSpecial(value.Special, buffer);
        else if (!TryWriteSmall(value, buffer))
            WriteLarge(value, buffer);
    }

    /// <param name="zeros">Groups before the point that are zero, and are not stored.</param>
    private static long Small(ReadOnlySpan<byte> groups, int count, int zeros)
    {
        var value = 0L;
        for (var i = 0; i < count; i++)
            value = value * 10_000 + BinaryPrimitives.ReadInt16BigEndian(groups[(i * 2)..]);
        for (; zeros > 0; zeros--)
            value *= 10_000;
        return value;
    }

    private static BigInteger Large(ReadOnlySpan<byte> groups, int count)
    {
        // Through text, because parsing long decimals is faster than one multiplication a group.
        var text = string.Create(
            count * 4,
            groups,
            static (digits, source) =>
            {
                for (var i = 0; i < digits.Length / 4; i++)
                    BinaryPrimitives
                        .ReadInt16BigEndian(source[(i * 2)..])
                        .TryFormat(digits.Slice(i * 4, 4), out _, "D4", CultureInfo.InvariantCulture);
            }
        );
        return BigInteger.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static void WriteSpecial(SqlNumeric.Kind special, CopyBuffer buffer)
    {
        var sign = special switch
        {
            SqlNumeric.Kind.NaN => NaN,
            SqlNumeric.Kind.PositiveInfinity => PositiveInfinity,
            _ => NegativeInfinity,
        };
        WriteHeader(buffer, 0, 0, sign, 0);
    }

    private static bool TryWriteSmall(in SqlNumeric value, CopyBuffer buffer)
    {
        if (!value.IsSmall)
            return false;
        var magnitude = value.Small < 0 ? 0 - (ulong)value.Small : (ulong)value.Small;
        var decimalGroups = (value.Scale + 3) / 4;
        for (var pad = decimalGroups * 4 - value.Scale; pad > 0; pad--)
        {
            if (magnitude > ulong.MaxValue / 10)
                return false;
            magnitude *= 10;
        }
        // Twenty digits at most: five groups, the last one first. Zeros at its end are not stored.
        Span<short> groups = stackalloc short[5];
        var count = 0;
        var weight = -decimalGroups - 1;
        for (; magnitude != 0; weight++)
        {
            (magnitude, var group) = Math.DivRem(magnitude, 10_000);
            if (count > 0 || group != 0)
                groups[count++] = (short)group;
        }
        var digits = WriteHeader(buffer, count, count == 0 ? 0 : weight, value.Small < 0 ? Negative : Positive, value.Scale);
        for (var i = 0; i < count; i++)
            BinaryPrimitives.WriteInt16BigEndian(digits[(i * 2)..], groups[count - 1 - i]);
        return true;
    }

    private static void WriteLarge(in SqlNumeric value, CopyBuffer buffer)
    {
        var decimalGroups = (value.Scale + 3) / 4;
        var padded = BigInteger.Abs(value.Unscaled) * SqlNumeric.PowerOfTen(decimalGroups * 4 - value.Scale);
        var text = padded.ToString(CultureInfo.InvariantCulture);
        text = text.PadLeft((text.Length + 3) / 4 * 4, '0');
        var weight = text.Length / 4 - decimalGroups - 1;
        var count = (text.AsSpan().TrimEnd('0').Length + 3) / 4;
        var digits = WriteHeader(buffer, count, weight, value.Unscaled.Sign < 0 ? Negative : Positive, value.Scale);
        for (var i = 0; i < count; i++)
            BinaryPrimitives.WriteInt16BigEndian(
                digits[(i * 2)..],
                short.Parse(text.AsSpan(i * 4, 4), NumberStyles.None, CultureInfo.InvariantCulture)
            );
    }

    /// <returns>Room for the groups.</returns>
    private static Span<byte> WriteHeader(CopyBuffer buffer, int count, int weight, ushort sign, int scale)
    {
        var field = buffer.Take(4 + Header + count * 2);
        BinaryPrimitives.WriteInt32BigEndian(field, Header + count * 2);
        BinaryPrimitives.WriteInt16BigEndian(field[4..], (short)count);
        BinaryPrimitives.WriteInt16BigEndian(field[6..], (short)weight);
        BinaryPrimitives.WriteUInt16BigEndian(field[8..], sign);
        BinaryPrimitives.WriteInt16BigEndian(field[10..], (short)scale);
        return field[(4 + Header)..];
    }
}
