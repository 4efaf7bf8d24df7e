using System.Buffers;
using System.Buffers.Text;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Core.Entities;

/// <summary>
/// The text of a key whose number is a hash (<see cref="KeyHash"/>), in UTF-8: of one column its text, of several their texts with commas, a
/// backslash before each comma and backslash of their own. So different keys have different texts. For one thread at a time.
/// </summary>
/// <param name="columns">In the order of the key; integers, texts and uuids.</param>
public sealed class KeySpelling(IReadOnlyList<SourceColumn> columns)
{
    private const byte Comma = (byte)',';
    private const byte Escape = (byte)'\\';

    private readonly ArrayBufferWriter<byte> _text = new();
    private int _column;

    /// <summary>Types that it can be made of: the text of their values is all of the value.</summary>
    public static bool Takes(SourceType type) => type is SourceType.Integer or SourceType.Text or SourceType.Uuid;

    public void Begin()
    {
        _text.ResetWrittenCount();
        _column = 0;
    }

    /// <summary>The next column's value, as PostgreSQL sends it.</summary>
    public void Add(ReadOnlySpan<byte> value, bool isText)
    {
        var type = columns[_column].Type;
        Span<byte> written = stackalloc byte[36];
        if (isText || type == SourceType.Text)
            AddText(value);
        else if (type == SourceType.Uuid)
        {
            Utf8Formatter.TryFormat(new Guid(value, bigEndian: true), written, out var length);
            AddText(written[..length]);
        }
        else
        {
            Utf8Formatter.TryFormat(SourceValue.Integer(value), written, out var length);
            AddText(written[..length]);
        }
    }

    /// <summary>The next column's value as text.</summary>
    public void AddText(ReadOnlySpan<byte> text)
    {
        if (_column++ > 0)
            _text.Write([Comma]);
        if (columns.Count == 1)
        {
            _text.Write(text);
            return;
        }
        while (text.IndexOfAny(Comma, Escape) is >= 0 and var at)
        {
            _text.Write(text[..at]);
            _text.Write([Escape, text[at]]);
            text = text[(at + 1)..];
        }
        _text.Write(text);
    }

    /// <summary>When all columns are added.</summary>
    public byte[] End() => _text.WrittenSpan.ToArray();

    /// <summary>The columns' texts again.</summary>
    public static IReadOnlyList<byte[]> Parts(ReadOnlySpan<byte> text, int columns)
    {
        if (columns == 1)
            return [text.ToArray()];
        var parts = new List<byte[]>(columns);
        var part = new List<byte>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == Comma)
            {
                parts.Add([.. part]);
                part.Clear();
            }
            else
                part.Add(text[i] == Escape && i + 1 < text.Length ? text[++i] : text[i]);
        }
        parts.Add([.. part]);
        return parts;
    }

    /// <summary>SQL: the same text.</summary>
    /// <param name="row">Alias of the source's rows; null: none is needed.</param>
    public static string TextSql(IReadOnlyList<SourceColumn> columns, string? row) =>
        columns is [var only]
            ? $"{Column(only, row)}::text"
            : string.Join(
                " || ',' || ",
                columns.Select(c =>
                    c.Type == SourceType.Text
                        ? $@"replace(replace({Column(c, row)}::text, E'\\', E'\\\\'), ',', E'\\,')"
                        : $"{Column(c, row)}::text"
                )
            );

    private static string Column(SourceColumn column, string? row) =>
        row is null ? Sql.Identifier(column.Name) : $"{row}.{Sql.Identifier(column.Name)}";
}
