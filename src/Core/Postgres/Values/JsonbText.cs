using System.Buffers;
using System.Text;

namespace Cdc.Core.Postgres.Values;

/// <summary>
/// jsonb as PostgreSQL writes it: keys sorted and each once, numbers as numeric prints them, one way to escape. So what stands within it is
/// itself the text of a jsonb, and is found without making anything.
/// </summary>
public static class JsonbText
{
    /// <summary>The version that stands before the text in jsonb's binary format; no JSON text begins with it.</summary>
    public const byte Version = 1;

    private static readonly SearchValues<byte> StringStops = SearchValues.Create("\"\\"u8);
    private static readonly SearchValues<byte> ScalarStops = SearchValues.Create(",]} \t\r\n"u8);
    private static readonly SearchValues<byte> Escaped = SearchValues.Create([
        .. Enumerable.Range(0, 32).Select(c => (byte)c),
        (byte)'"',
        (byte)'\\',
    ]);

    /// <summary>The text of a value as it came over the wire: binary from PostgreSQL, without the version from a topic.</summary>
    public static ReadOnlySpan<byte> OfWire(ReadOnlySpan<byte> bytes) => !bytes.IsEmpty && bytes[0] == Version ? bytes[1..] : bytes;

    public static bool IsNull(ReadOnlySpan<byte> json) => json.SequenceEqual("null"u8);

    /// <summary>The member of an object; false where there is none, or the value is no object.</summary>
    /// <param name="quotedKey">As <see cref="Quote"/> writes it.</param>
    /// <exception cref="InvalidDataException">The text is no jsonb.</exception>
    public static bool TryField(ReadOnlySpan<byte> json, ReadOnlySpan<byte> quotedKey, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (json.IsEmpty || json[0] != '{')
            return false;
        var at = 1;
        while (NextIs((byte)'"', json, ref at))
        {
            var keyAt = at;
            var keyEnd = at = EndOfString(json, at);
            if (!NextIs((byte)':', json, ref at))
                throw Wrong();
            at++;
            SkipSpaces(json, ref at);
            var valueAt = at;
            at = EndOfValue(json, at);
            if (json[keyAt..keyEnd].SequenceEqual(quotedKey))
            {
                value = json[valueAt..at];
                return true;
            }
            if (NextIs((byte)',', json, ref at))
                at++;
        }
        if (!NextIs((byte)'}', json, ref at))
            throw Wrong();
        return false;
    }

    /// <summary>
    /// Equal as jsonb's operator has it: numbers by their value, whatever their decimals. Between values of different jsonb there is no
    /// order here.
    /// </summary>
    public static bool AreEqual(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        if (a.SequenceEqual(b))
            return true;
        while (!a.IsEmpty && !b.IsEmpty)
        {
            ReadOnlySpan<byte> x = a[..EndOfToken(a)],
                y = b[..EndOfToken(b)];
            if (!x.SequenceEqual(y) && !AreEqualNumbers(x, y))
                return false;
            a = a[x.Length..];
            b = b[y.Length..];
        }
        return a.IsEmpty && b.IsEmpty;
    }

    /// <summary>A text as a JSON string, as PostgreSQL writes it.</summary>
    public static void Quote(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        output.Write("\""u8);
        while (text.IndexOfAny(Escaped) is var at && at >= 0)
        {
            output.Write(text[..at]);
            WriteEscape(text[at], output);
            text = text[(at + 1)..];
        }
        output.Write(text);
        output.Write("\""u8);
    }

    /// <summary>The text of a JSON string; without an escape it is a part of the string itself.</summary>
    /// <param name="quoted">With its quotes.</param>
    /// <param name="buffer">Holds the text if it has escapes; grows.</param>
    /// <returns>False: an escape is none of JSON's, half a character, or character 0, which PostgreSQL has not.</returns>
    public static bool TryUnquote(ReadOnlySpan<byte> quoted, scoped ref byte[] buffer, out ReadOnlySpan<byte> text)
    {
        text = quoted[1..^1];
        if (text.IndexOf((byte)'\\') is var first && first < 0)
            return true;
        if (buffer.Length < text.Length)
            buffer = new byte[Math.Max(text.Length, buffer.Length * 2)];
        var length = 0;
        var source = text;
        while (!source.IsEmpty)
        {
            var plain = source.IndexOf((byte)'\\') is var next && next < 0 ? source.Length : next;
            source[..plain].CopyTo(buffer.AsSpan(length));
            length += plain;
            source = source[plain..];
            if (!source.IsEmpty && !TryEscape(ref source, buffer, ref length))
                return false;
        }
        text = buffer.AsSpan(0, length);
        return true;
    }

    /// <summary>Where the string that begins here is over, behind its quote.</summary>
    internal static int EndOfString(ReadOnlySpan<byte> json, int at)
    {
        at++;
        while (json[at..].IndexOfAny(StringStops) is var stop && stop >= 0)
        {
            at += stop + 1;
            if (json[at - 1] == '"')
                return at;
            // What stands behind the backslash.
            if (++at > json.Length)
                break;
        }
        throw Wrong();
    }

    private static int EndOfValue(ReadOnlySpan<byte> json, int at)
    {
        var depth = 0;
        do
        {
            SkipSpaces(json, ref at);
            if (at >= json.Length)
                throw Wrong();
            switch (json[at])
            {
                case (byte)'"':
                    at = EndOfString(json, at);
                    break;
                case (byte)'{' or (byte)'[':
                    depth++;
                    at++;
                    break;
                case (byte)'}' or (byte)']' when depth > 0:
                    depth--;
                    at++;
                    break;
                case (byte)',' or (byte)':' when depth > 0:
                    at++;
                    break;
                case (byte)'}' or (byte)']' or (byte)',' or (byte)':':
                    throw Wrong();
                default:
                    at = EndOfScalar(json, at);
                    break;
            }
        } while (depth > 0);
        return at;
    }

    private static int EndOfScalar(ReadOnlySpan<byte> json, int at) =>
        json[at..].IndexOfAny(ScalarStops) is var end && end < 0 ? json.Length : at + end;

    /// <summary>A string, a number or word, or one character of punctuation.</summary>
    private static int EndOfToken(ReadOnlySpan<byte> json) =>
        json[0] switch
        {
            (byte)'"' => EndOfString(json, 0),
            (byte)'{' or (byte)'}' or (byte)'[' or (byte)']' or (byte)',' or (byte)':' or <= (byte)' ' => 1,
            _ => EndOfScalar(json, 0),
        };

    private static bool AreEqualNumbers(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) =>
        IsNumber(a)
        && IsNumber(b)
        && TextInput.TryNumeric(a, out var x)
        && TextInput.TryNumeric(b, out var y)
        && SqlNumeric.Compare(x, y) == 0;

    private static bool IsNumber(ReadOnlySpan<byte> token) => token[0] == '-' || char.IsAsciiDigit((char)token[0]);

    private static bool NextIs(byte wanted, ReadOnlySpan<byte> json, ref int at)
    {
        SkipSpaces(json, ref at);
        return at < json.Length && json[at] == wanted;
    }

    private static void SkipSpaces(ReadOnlySpan<byte> json, ref int at)
    {
        while (at < json.Length && json[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            at++;
    }

    private static void WriteEscape(byte c, IBufferWriter<byte> output)
    {
        const string Hex = "0123456789abcdef";
        ReadOnlySpan<byte> escape = c switch
        {
            (byte)'"' => "\\\""u8,
            (byte)'\\' => "\\\\"u8,
            (byte)'\b' => "\\b"u8,
            (byte)'\f' => "\\f"u8,
            (byte)'\n' => "\\n"u8,
            (byte)'\r' => "\\r"u8,
            (byte)'\t' => "\\t"u8,
            _ => [(byte)'\\', (byte)'u', (byte)'0', (byte)'0', (byte)Hex[c >> 4], (byte)Hex[c & 15]],
        };
        output.Write(escape);
    }

    private static bool TryEscape(ref ReadOnlySpan<byte> source, Span<byte> output, ref int length)
    {
        if (source.Length < 2)
            return false;
        var c = source[1];
        if (c == 'u')
            return TryCharacter(ref source, output, ref length);
        source = source[2..];
        output[length++] = c switch
        {
            (byte)'b' => (byte)'\b',
            (byte)'f' => (byte)'\f',
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            _ => c,
        };
        return c is (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t';
    }

    private static bool TryCharacter(ref ReadOnlySpan<byte> source, Span<byte> output, ref int length)
    {
        if (!TryUnit(ref source, out var unit) || unit == 0)
            return false;
        var code = (int)unit;
        if (char.IsHighSurrogate(unit))
        {
            if (!TryUnit(ref source, out var low) || !char.IsLowSurrogate(low))
                return false;
            code = char.ConvertToUtf32(unit, low);
        }
        if (!Rune.TryCreate(code, out var rune))
            return false;
        length += rune.EncodeToUtf8(output[length..]);
        return true;
    }

    private static bool TryUnit(ref ReadOnlySpan<byte> source, out char unit)
    {
        unit = '\0';
        if (source.Length < 6 || source[0] != '\\' || source[1] != 'u')
            return false;
        foreach (var digit in source[2..6])
        {
            if (!char.IsAsciiHexDigit((char)digit))
                return false;
            unit = (char)(unit * 16 + Convert.ToInt32(((char)digit).ToString(), 16));
        }
        source = source[6..];
        return true;
    }

    private static InvalidDataException Wrong() =>
        new("A value is not jsonb's text; was the column's type checked with SourceTypes.CanRead?");
}
