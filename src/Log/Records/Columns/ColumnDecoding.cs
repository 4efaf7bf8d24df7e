using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;
using Cdc.Log.Avro.Binary;

namespace Cdc.Log.Records.Columns;

/// <summary>Writes Avro's values as COPY fields: the length, then PostgreSQL's binary value.</summary>
/// <remarks>Every method throws <see cref="AvroFormatException"/> where a value is none of PostgreSQL's.</remarks>
internal static class ColumnDecoding
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    public static void Write(in ColumnForm form, ref AvroReader reader, CopyBuffer output)
    {
        switch (form.Kind)
        {
            case ColumnKind.Boolean:
                output.WriteBooleanField(reader.ReadBoolean());
                break;
            case ColumnKind.Int16:
                output.WriteInt16Field(Int16(reader.ReadLong()));
                break;
            case ColumnKind.Int32:
                output.WriteInt32Field(reader.ReadInt());
                break;
            case ColumnKind.Int64:
                output.WriteInt64Field(reader.ReadLong());
                break;
            case ColumnKind.Float4:
                output.WriteInt32Field(BitConverter.SingleToInt32Bits(reader.ReadFloat()));
                break;
            case ColumnKind.Float8:
                output.WriteInt64Field(BitConverter.DoubleToInt64Bits(reader.ReadDouble()));
                break;
            case ColumnKind.Uuid:
                WriteUuid(reader.ReadBytes(), output);
                break;
            case ColumnKind.Date:
                output.WriteInt32Field(UnixTime.ToPostgres(reader.ReadInt()));
                break;
            case ColumnKind.Timestamp:
                output.WriteInt64Field(UnixTime.ToPostgres(reader.ReadLong()));
                break;
            case ColumnKind.TimestampMillis:
                output.WriteInt64Field(UnixTime.MillisToPostgres(reader.ReadLong()));
                break;
            case ColumnKind.TimestampTz:
                WriteZoned(reader.ReadBytes(), output);
                break;
            case ColumnKind.Decimal:
                WriteNumeric(reader.ReadBytes(), form.Scale, output);
                break;
            case ColumnKind.VariableDecimal:
                var scale = reader.ReadInt();
                WriteNumeric(reader.ReadBytes(), scale, output);
                break;
            default:
                output.WriteField(reader.ReadBytes());
                break;
        }
    }

    /// <summary>A value whose exact text was given, because the form could not hold it.</summary>
    public static void WriteExact(in ColumnForm form, string text, CopyBuffer output)
    {
        switch (form.Kind)
        {
            case ColumnKind.Timestamp or ColumnKind.TimestampMillis:
                output.WriteInt64Field(Moment(text));
                break;
            case ColumnKind.Date when MomentParser.TryDate(text, out var days):
                output.WriteInt32Field(days);
                break;
            case ColumnKind.Decimal or ColumnKind.VariableDecimal:
                NumericFormat.WriteField(Number(text), output);
                break;
            default:
                throw new AvroFormatException($"An exact text is not for a column of {form.Kind}, or is none of its values.");
        }
    }

    private static void WriteZoned(ReadOnlySpan<byte> utf8, CopyBuffer output)
    {
        Span<char> text = stackalloc char[MomentText.LongestIso];
        if (utf8.Length > text.Length)
            throw new AvroFormatException($"A text of {utf8.Length} bytes is not a timestamp.");
        output.WriteInt64Field(Moment(text[..Encoding.UTF8.GetChars(utf8, text)]));
    }

    private static short Int16(long value) =>
        value is >= short.MinValue and <= short.MaxValue ? (short)value : throw new AvroFormatException($"{value} is not an int16.");

    private static void WriteUuid(ReadOnlySpan<byte> text, CopyBuffer output)
    {
        if (!Utf8Parser.TryParse(text, out Guid value, out var used, 'D') || used != text.Length)
            throw new AvroFormatException("A text is not a UUID.");
        output.WriteInt32(16);
        value.TryWriteBytes(output.Take(16), bigEndian: true, out _);
    }

    private static void WriteNumeric(ReadOnlySpan<byte> unscaled, int scale, CopyBuffer output)
    {
        // PostgreSQL's own limits; a scale of millions would be a number of megabytes.
        if (Math.Abs((long)scale) > 16_383 || unscaled.Length > 64 << 10)
            throw new AvroFormatException($"A numeric of {unscaled.Length} bytes and scale {scale}.");
        if (scale < 0 || unscaled.Length > sizeof(long))
            NumericFormat.WriteField(SqlNumeric.Shifted(new BigInteger(unscaled, isBigEndian: true), scale), output);
        else
            NumericFormat.WriteField(new SqlNumeric(Small(unscaled), scale), output);
    }

    private static long Small(ReadOnlySpan<byte> bigEndian)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        bytes.Fill(bigEndian.Length > 0 && (sbyte)bigEndian[0] < 0 ? byte.MaxValue : (byte)0);
        bigEndian.CopyTo(bytes[(sizeof(long) - bigEndian.Length)..]);
        return BinaryPrimitives.ReadInt64BigEndian(bytes);
    }

    private static long Moment(ReadOnlySpan<char> text) =>
        MomentParser.TryTimestamp(text, out var micros) ? micros : throw new AvroFormatException("A text is not a timestamp.");

    private static SqlNumeric Number(string text)
    {
        switch (text)
        {
            case "NaN":
                return SqlNumeric.NaN;
            case "Infinity":
                return SqlNumeric.PositiveInfinity;
            case "-Infinity":
                return SqlNumeric.NegativeInfinity;
        }
        var number = text.AsSpan(text.StartsWith('-') ? 1 : 0);
        if (!number.ContainsAnyExcept(Digits) && number.ContainsAnyInRange('0', '9') && number.Count('.') <= 1 && number.Length < 200_000)
            return SqlNumeric.Parse(text);
        throw new AvroFormatException("A text is not a numeric.");
    }
}
