using System.Text.Json;

namespace Cdc.Odoo.Transport;

/// <summary>
/// JSON as Python writes it: NaN, Infinity and -Infinity stand in it as bare words, which is no JSON. A card can hold them (over JSON-RPC
/// anybody may write them), and one such card must not make a whole answer unreadable: the words become texts.
/// </summary>
internal static class PythonJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 256 };

    /// <summary>Null: it is neither.</summary>
    public static JsonElement? Parse(ReadOnlyMemory<byte> text) => TryParse(text) ?? TryParse(Quoted(text.Span));

    private static JsonElement? TryParse(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Options);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static byte[] Quoted(ReadOnlySpan<byte> text)
    {
        var quoted = new List<byte>(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            var word = text[i] == '"' ? TextLength(text[i..]) : WordLength(text[i..]);
            if (word == 0)
            {
                quoted.Add(text[i]);
                continue;
            }
            var isWord = text[i] != '"';
            if (isWord)
                quoted.Add((byte)'"');
            quoted.AddRange(text.Slice(i, word));
            if (isWord)
                quoted.Add((byte)'"');
            i += word - 1;
        }
        return [.. quoted];
    }

    private static int WordLength(ReadOnlySpan<byte> text) =>
        text.StartsWith("NaN"u8) ? 3
        : text.StartsWith("Infinity"u8) ? 8
        : text.StartsWith("-Infinity"u8) ? 9
        : 0;

    /// <summary>With both quotation marks; of one that does not end, all.</summary>
    private static int TextLength(ReadOnlySpan<byte> text)
    {
        for (var i = 1; i < text.Length; i++)
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                return i + 1;
        return text.Length;
    }
}
