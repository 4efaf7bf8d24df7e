using System.Globalization;
using System.Text;

namespace Cdc.Tests.Support.Odoo.Python;

/// <summary>Reads one JSON value and nothing behind it.</summary>
internal sealed class PyJsonReader(string text)
{
    private int _at;

    public object? Read()
    {
        var value = Value();
        Blank();
        return _at == text.Length ? value : throw Wrong("Extra data");
    }

    private object? Value()
    {
        Blank();
        if (_at >= text.Length)
            throw Wrong("Expecting value");
        switch (text[_at])
        {
            case '{':
                return Dict();
            case '[':
                return List();
            case '"':
                return Text();
            case 'n' when Take("null"):
                return null;
            case 't' when Take("true"):
                return true;
            case 'f' when Take("false"):
                return false;
            case 'N' when Take("NaN"):
                return double.NaN;
            case 'I' when Take("Infinity"):
                return double.PositiveInfinity;
            case '-' when Take("-Infinity"):
                return double.NegativeInfinity;
            default:
                return Number();
        }
    }

    private PyDict Dict()
    {
        var dict = new PyDict();
        _at++;
        Blank();
        if (Take("}"))
            return dict;
        while (true)
        {
            Blank();
            if (_at >= text.Length || text[_at] != '"')
                throw Wrong("Expecting property name enclosed in double quotes");
            var key = Text();
            Blank();
            if (!Take(":"))
                throw Wrong("Expecting ':' delimiter");
            dict[key] = Value();
            Blank();
            if (Take("}"))
                return dict;
            if (!Take(","))
                throw Wrong("Expecting ',' delimiter");
        }
    }

    private List<object?> List()
    {
        var list = new List<object?>();
        _at++;
        Blank();
        if (Take("]"))
            return list;
        while (true)
        {
            list.Add(Value());
            Blank();
            if (Take("]"))
                return list;
            if (!Take(","))
                throw Wrong("Expecting ',' delimiter");
        }
    }

    private string Text()
    {
        var start = _at++;
        var value = new StringBuilder();
        while (_at < text.Length && text[_at] != '"')
        {
            var c = text[_at++];
            if (c < ' ')
                throw Wrong("Invalid control character at", _at - 1);
            value.Append(c == '\\' ? Escaped() : c);
        }
        if (_at >= text.Length)
            throw Wrong("Unterminated string starting at", start);
        _at++;
        return value.ToString();
    }

    private char Escaped()
    {
        var c = _at < text.Length ? text[_at++] : '\0';
        switch (c)
        {
            case '"' or '\\' or '/':
                return c;
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'u'
                when _at + 4 <= text.Length
                    && ushort.TryParse(text.AsSpan(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code):
                _at += 4;
                return (char)code;
            default:
                throw Wrong("Invalid \\escape", _at - 2);
        }
    }

    private object Number()
    {
        var start = _at;
        while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] is '-' or '+' or '.' or 'e' or 'E'))
            _at++;
        var number = text.AsSpan(start, _at - start);
        if (number.IndexOfAny('.', 'e', 'E') < 0 && long.TryParse(number, CultureInfo.InvariantCulture, out var whole))
            return whole;
        // An integer that long does not hold is a double here: nothing that is asked of Odoo is that large.
        return double.TryParse(number, CultureInfo.InvariantCulture, out var value) ? value : throw Wrong("Expecting value", start);
    }

    private bool Take(string word)
    {
        if (string.CompareOrdinal(text, _at, word, 0, word.Length) != 0)
            return false;
        _at += word.Length;
        return true;
    }

    private void Blank()
    {
        while (_at < text.Length && text[_at] is ' ' or '\t' or '\n' or '\r')
            _at++;
    }

    private FormatException Wrong(string what, int? place = null)
    {
        var at = place ?? _at;
        var before = text.AsSpan(0, at);
        var line = before.Count('\n') + 1;
        var column = at - before.LastIndexOf('\n');
        return new FormatException(string.Create(CultureInfo.InvariantCulture, $"{what}: line {line} column {column} (char {at})"));
    }
}
