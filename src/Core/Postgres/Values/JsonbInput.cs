using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Cdc.Core.Postgres.Values;

/// <summary>
/// jsonb's input function: any JSON text, written as PostgreSQL writes the jsonb that it makes of it. Of a key that is there twice the last
/// wins; keys are sorted by their length, then by their bytes; numbers are numeric; character 0 is refused.
/// </summary>
public sealed class JsonbInput
{
    /// <summary>PostgreSQL goes as deep as its stack; nothing sensible is nested like that.</summary>
    private const int MaxDepth = 500;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };

    private ArrayBufferWriter<byte> _output = new();

    /// <param name="jsonb">Valid until the next call.</param>
    /// <returns>False: it is no JSON, or none that jsonb can hold.</returns>
    public bool TryRead(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> jsonb)
    {
        _output.ResetWrittenCount();
        jsonb = default;
        var reader = new Utf8JsonReader(text, Options);
        try
        {
            if (!reader.Read() || !TryWrite(text, ref reader, _output) || reader.Read())
                return false;
        }
        catch (JsonException)
        {
            return false;
        }
        jsonb = _output.WrittenSpan;
        return true;
    }

    private static bool TryWrite(ReadOnlySpan<byte> text, ref Utf8JsonReader reader, IBufferWriter<byte> output)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return TryWriteObject(text, ref reader, output);
            case JsonTokenType.StartArray:
                return TryWriteArray(text, ref reader, output);
            case JsonTokenType.String:
                var isText = TryUnquote(text, reader, out var value);
                JsonbText.Quote(value, output);
                return isText;
            case JsonTokenType.Number:
                var isNumber = TextInput.TryNumeric(reader.ValueSpan, out var number);
                output.Write(Encoding.ASCII.GetBytes(number.ToString()));
                return isNumber;
            default:
                output.Write(reader.ValueSpan);
                return true;
        }
    }

    private static bool TryWriteArray(ReadOnlySpan<byte> text, ref Utf8JsonReader reader, IBufferWriter<byte> output)
    {
        output.Write("["u8);
        for (var isFirst = true; reader.Read() && reader.TokenType != JsonTokenType.EndArray; isFirst = false)
        {
            output.Write(isFirst ? ""u8 : ", "u8);
            if (!TryWrite(text, ref reader, output))
                return false;
        }
        output.Write("]"u8);
        return true;
    }

    private static bool TryWriteObject(ReadOnlySpan<byte> text, ref Utf8JsonReader reader, IBufferWriter<byte> output)
    {
        var members = new SortedDictionary<byte[], byte[]>(KeyOrder.Instance);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (!TryUnquote(text, reader, out var name))
                return false;
            var key = name.ToArray();
            var value = new ArrayBufferWriter<byte>();
            if (!reader.Read() || !TryWrite(text, ref reader, value))
                return false;
            members[key] = value.WrittenSpan.ToArray();
        }
        output.Write("{"u8);
        var isFirst = true;
        foreach (var (key, value) in members)
        {
            output.Write(isFirst ? ""u8 : ", "u8);
            JsonbText.Quote(key, output);
            output.Write(": "u8);
            output.Write(value);
            isFirst = false;
        }
        output.Write("}"u8);
        return true;
    }

    private static bool TryUnquote(ReadOnlySpan<byte> text, in Utf8JsonReader reader, out ReadOnlySpan<byte> value)
    {
        byte[] buffer = [];
        // With its quotes, which the reader's span leaves out.
        var start = (int)reader.TokenStartIndex;
        return JsonbText.TryUnquote(text.Slice(start, reader.ValueSpan.Length + 2), ref buffer, out value);
    }

    private sealed class KeyOrder : IComparer<byte[]>
    {
        public static readonly KeyOrder Instance = new();

        public int Compare(byte[]? a, byte[]? b) => a!.Length != b!.Length ? a.Length.CompareTo(b.Length) : a.AsSpan().SequenceCompareTo(b);
    }
}
