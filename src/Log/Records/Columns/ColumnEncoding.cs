using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;
using Cdc.Core.Postgres.Values;
using Cdc.Log.Avro.Binary;

namespace Cdc.Log.Records.Columns;

/// <summary>Writes PostgreSQL's binary values as Avro's.</summary>
internal static class ColumnEncoding
{
    /// <summary>The value of a column that may be null: the branch of its union, then the value.</summary>
    /// <returns>The value's exact text where the form cannot hold it (PostgreSQL's notation); then the nearest, or null, is written. Else
    /// null.</returns>
    public static string? WriteOptional(in ColumnForm form, ReadOnlySpan<byte> value, ref AvroWriter writer)
    {
        if (form.Kind is ColumnKind.Decimal or ColumnKind.VariableDecimal)
            return WriteNumeric(form, value, ref writer);
        writer.WriteByte(2); // branch 1, as a zigzag number
        return Write(form, value, ref writer);
    }

    /// <inheritdoc cref="WriteOptional"/>
    private static string? Write(in ColumnForm form, ReadOnlySpan<byte> value, ref AvroWriter writer)
    {
        switch (form.Kind)
        {
            case ColumnKind.Boolean:
                writer.WriteBoolean(value[0] != 0);
                return null;
            case ColumnKind.Int16 or ColumnKind.Int32 or ColumnKind.Int64:
                writer.WriteLong(SourceValue.Integer(value));
                return null;
            case ColumnKind.Float4:
                writer.WriteFloat(BinaryPrimitives.ReadSingleBigEndian(value));
                return null;
            case ColumnKind.Float8:
                writer.WriteDouble(BinaryPrimitives.ReadDoubleBigEndian(value));
                return null;
            case ColumnKind.Jsonb:
                writer.WriteBytes(value[1..]);
                return null; // the first byte is the format's version
            case ColumnKind.Uuid:
                WriteUuid(value, ref writer);
                return null;
            case ColumnKind.Date:
                return WriteDate(BinaryPrimitives.ReadInt32BigEndian(value), ref writer);
            case ColumnKind.Timestamp:
                return WriteTimestamp(BinaryPrimitives.ReadInt64BigEndian(value), ref writer);
            case ColumnKind.TimestampMillis:
                return WriteMillis(BinaryPrimitives.ReadInt64BigEndian(value), ref writer);
            case ColumnKind.TimestampTz:
                WriteZoned(BinaryPrimitives.ReadInt64BigEndian(value), ref writer);
                return null;
            default:
                writer.WriteBytes(value);
                return null;
        }
    }

    private static void WriteUuid(ReadOnlySpan<byte> value, ref AvroWriter writer)
    {
        Span<byte> text = stackalloc byte[36];
        Utf8Formatter.TryFormat(new Guid(value, bigEndian: true), text, out _);
        writer.WriteBytes(text);
    }

    private static string? WriteDate(int days, ref AvroWriter writer)
    {
        var fits = UnixTime.TryFromPostgres(days, out var unix);
        writer.WriteLong(unix);
        return fits ? null : MomentText.Date(days);
    }

    private static string? WriteTimestamp(long micros, ref AvroWriter writer)
    {
        var fits = UnixTime.TryFromPostgres(micros, out var unix);
        writer.WriteLong(unix);
        return fits ? null : MomentText.Timestamp(micros);
    }

    private static string? WriteMillis(long micros, ref AvroWriter writer)
    {
        var isExact = UnixTime.TryMillisFromPostgres(micros, out var unix);
        writer.WriteLong(unix);
        return isExact ? null : MomentText.Timestamp(micros);
    }

    private static void WriteZoned(long micros, ref AvroWriter writer)
    {
        Span<byte> text = stackalloc byte[MomentText.LongestIso];
        writer.WriteBytes(text[..MomentText.WriteIso(micros, text)]);
    }

    private static string? WriteNumeric(in ColumnForm form, ReadOnlySpan<byte> value, ref AvroWriter writer)
    {
        var number = form.NumberOid == 0 ? NumericFormat.Read(value) : AnyNumber.Read(form.NumberOid, value);
        var isVariable = form.Kind == ColumnKind.VariableDecimal;
        // A value with more decimals than the column has was written before the column was narrowed by hand in the catalog.
        if (!number.IsFinite || (!isVariable && number.Scale > form.Scale))
        {
            writer.WriteByte(0);
            return number.ToString();
        }
        writer.WriteByte(2);
        if (isVariable)
            writer.WriteLong(number.Scale);
        else
            number = number.Round(form.Scale);
        if (number.IsSmall)
            WriteUnscaled(number.Small, ref writer);
        else
            writer.WriteBytes(number.Unscaled.ToByteArray(isBigEndian: true));
        return null;
    }

    /// <summary>Two's complement, most significant byte first, as few bytes as can hold it.</summary>
    private static void WriteUnscaled(long unscaled, ref AvroWriter writer)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, unscaled);
        var spare = (BitOperations.LeadingZeroCount((ulong)(unscaled < 0 ? ~unscaled : unscaled)) - 1) / 8;
        writer.WriteBytes(bytes[spare..]);
    }
}
