using System.Text;
using System.Text.Json;

namespace Cdc.Expressions.Declaration;

internal enum JsonShape
{
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

/// <summary>Where something stands: a declaration may be made of several files.</summary>
/// <param name="File">Its name without the folder.</param>
/// <param name="Number">From 1.</param>
internal readonly record struct FileLine(string File, int Number) : IComparable<FileLine>
{
    public int CompareTo(FileLine other) =>
        string.CompareOrdinal(File, other.File) is not 0 and var byFile ? byFile : Number.CompareTo(other.Number);

    public override string ToString() => $"{File} line {Number}";
}

/// <summary>A JSON value that knows its line, because an error in a file without a line is half an error.</summary>
internal sealed class LocatedJson(JsonShape shape, FileLine line)
{
    public JsonShape Shape { get; } = shape;

    public FileLine Line { get; } = line;
    public string Text { get; private init; } = "";
    public List<(string Name, FileLine Line, LocatedJson Value)> Properties { get; init; } = [];
    public List<LocatedJson> Items { get; init; } = [];

    /// <summary>Of the first property of that name; null: there is none.</summary>
    public LocatedJson? Property(string name) => Properties.FirstOrDefault(p => p.Name == name).Value;

    /// <exception cref="JsonException">Not JSON; comments and trailing commas are allowed.</exception>
    public static LocatedJson Parse(string text, string file)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(
            bytes,
            new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }
        );
        var lines = new LineCounter(bytes, file);
        reader.Read();
        var value = Read(ref reader, lines);
        reader.Read();
        return value;
    }

    private static LocatedJson Read(ref Utf8JsonReader reader, LineCounter lines)
    {
        var line = lines.LineAt(reader.TokenStartIndex);
        return reader.TokenType switch
        {
            JsonTokenType.StartObject => ReadObject(ref reader, lines, line),
            JsonTokenType.StartArray => ReadArray(ref reader, lines, line),
            JsonTokenType.String => new(JsonShape.String, line) { Text = reader.GetString()! },
            JsonTokenType.True => new(JsonShape.Boolean, line) { Text = "true" },
            JsonTokenType.False => new(JsonShape.Boolean, line) { Text = "false" },
            JsonTokenType.Null => new(JsonShape.Null, line),
            _ => new(JsonShape.Number, line) { Text = Encoding.UTF8.GetString(reader.ValueSpan) },
        };
    }

    private static LocatedJson ReadObject(ref Utf8JsonReader reader, LineCounter lines, FileLine line)
    {
        var value = new LocatedJson(JsonShape.Object, line);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var nameLine = lines.LineAt(reader.TokenStartIndex);
            reader.Read();
            value.Properties.Add((name, nameLine, Read(ref reader, lines)));
        }
        return value;
    }

    private static LocatedJson ReadArray(ref Utf8JsonReader reader, LineCounter lines, FileLine line)
    {
        var value = new LocatedJson(JsonShape.Array, line);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            value.Items.Add(Read(ref reader, lines));
        return value;
    }

    /// <summary>Tokens come in order, so lines are counted once.</summary>
    private sealed class LineCounter(byte[] bytes, string file)
    {
        private int _at;
        private int _line = 1;

        public FileLine LineAt(long index)
        {
            for (; _at < index; _at++)
                if (bytes[_at] == '\n')
                    _line++;
            return new FileLine(file, _line);
        }
    }
}
