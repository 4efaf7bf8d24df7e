using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Rows;

/// <summary>A source row as a JSON object, as shown in quarantine.</summary>
internal sealed class SourceRowJson(IReadOnlyList<SourceColumn> columns)
{
    private const int MaxBytes = 4000;
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Write(SourceRow row)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            foreach (var column in columns)
                WriteColumn(json, row, column);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteColumn(Utf8JsonWriter json, SourceRow row, SourceColumn column)
    {
        switch (row.StateOf(column.Slot))
        {
            case ColumnState.Missing:
                return;
            case ColumnState.Null:
                json.WriteNull(column.Name);
                return;
            case ColumnState.Unchanged:
                json.WriteStartObject(column.Name);
                json.WriteBoolean("unchanged", true);
                json.WriteEndObject();
                return;
        }
        json.WritePropertyName(column.Name);
        if (!TryWriteValue(json, row.BytesOf(column.Slot), TypeOf(row, column)))
            json.WriteStringValue($"0x{Convert.ToHexString(Shown(row.BytesOf(column.Slot)))}");
    }

    /// <summary>A number's type is the row's.</summary>
    private static SourceType TypeOf(SourceRow row, SourceColumn column) =>
        column.Type != SourceType.Number ? column.Type
        : SourceTypes.CanRead(SourceType.Integer, row.TypeOf(column.Slot)) ? SourceType.Integer
        : SourceTypes.CanRead(SourceType.Float, row.TypeOf(column.Slot)) ? SourceType.Float
        : SourceType.Numeric;

    /// <summary>False: the bytes are not what the type says. They are shown all the same, because that is why the row is here.</summary>
    private static bool TryWriteValue(Utf8JsonWriter json, ReadOnlySpan<byte> bytes, SourceType type)
    {
        switch (type)
        {
            case SourceType.Text:
                WriteText(json, bytes);
                return true;
            case SourceType.Json or SourceType.Jsonb:
                WriteText(json, JsonbText.OfWire(bytes));
                return true;
            case SourceType.Boolean when bytes.Length == 1:
                json.WriteBooleanValue(bytes[0] != 0);
                return true;
            case SourceType.Integer when bytes.Length is 2 or 4 or 8:
                json.WriteNumberValue(SourceValue.Integer(bytes));
                return true;
            case SourceType.Float when bytes.Length is 4 or 8:
                WriteFloat(json, bytes);
                return true;
            case SourceType.Numeric when bytes.Length >= 8 && bytes.Length == 8 + 2 * BinaryPrimitives.ReadUInt16BigEndian(bytes):
                json.WriteStringValue(NumericFormat.Read(bytes).ToString());
                return true;
            case SourceType.Date when bytes.Length == 4:
                json.WriteStringValue(MomentText.Date(BinaryPrimitives.ReadInt32BigEndian(bytes)));
                return true;
            case SourceType.Timestamp or SourceType.TimestampTz when bytes.Length == 8:
                json.WriteStringValue(
                    MomentText.Timestamp(BinaryPrimitives.ReadInt64BigEndian(bytes)) + (type == SourceType.TimestampTz ? "+00" : "")
                );
                return true;
            default:
                return false;
        }
    }

    private static void WriteFloat(Utf8JsonWriter json, ReadOnlySpan<byte> bytes)
    {
        var value = SourceValue.Float(bytes);
        if (!double.IsFinite(value))
            json.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
        else if (bytes.Length == 4)
            json.WriteNumberValue((float)value);
        else
            json.WriteNumberValue(value);
    }

    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> bytes)
    {
        // jsonb has no character 0; PostgreSQL's texts have none either, but this must not be where that is found out.
        var text = Encoding.UTF8.GetString(Shown(bytes)).Replace("\0", "\uFFFD", StringComparison.Ordinal);
        json.WriteStringValue(bytes.Length > MaxBytes ? $"{text}... ({bytes.Length} bytes)" : text);
    }

    private static ReadOnlySpan<byte> Shown(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= MaxBytes)
            return bytes;
        var end = MaxBytes;
        // Not inside a character.
        while (end > MaxBytes - 4 && (bytes[end] & 0xC0) == 0x80)
            end--;
        return bytes[..end];
    }
}
