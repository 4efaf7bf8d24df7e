using System.Buffers;
using System.Globalization;
using System.Text;

namespace Cdc.Expressions;

/// <summary>Cuts an expression into tokens by PostgreSQL's rules (standard_conforming_strings on).</summary>
internal sealed class Tokenizer(string text)
{
    private static readonly string[] Symbols = ["::", "(", ")", ","];
    private static readonly string[] Operators = ["<>", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "->", "->>"];

    // As PostgreSQL's lexer has them: one operator is as long as these go on, but for a sign at its end.
    private static readonly SearchValues<char> OperatorCharacters = SearchValues.Create("~!@#^&|`?+-*/%<>="),
        SignKeepers = SearchValues.Create("~!@#^&|`?%");

    private int _at;

    public static List<Token> Read(string text)
    {
        var tokenizer = new Tokenizer(text);
        var tokens = new List<Token>();
        do tokens.Add(tokenizer.Next());
        while (tokens[^1].Kind != TokenKind.End);
        return tokens;
    }

    private char Current => _at < text.Length ? text[_at] : '\0';

    private Token Next()
    {
        while (_at < text.Length && text[_at] is ' ' or '\t' or '\n' or '\r' or '\f')
            _at++;
        var start = _at;
        if (_at == text.Length)
            return new(TokenKind.End, "", start);
        if (Current is 'e' or 'E' && _at + 1 < text.Length && text[_at + 1] == '\'')
            return Escaped(start);
        if (IsWordStart(Current))
            return Word(start);
        if (char.IsAsciiDigit(Current) || (Current == '.' && _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1])))
            return Number(start);
        return Current switch
        {
            '\'' => new(TokenKind.String, Quoted('\''), start),
            '"' => new(TokenKind.QuotedName, Quoted('"'), start),
            _ => Symbol(start),
        };
    }

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= 0x80;

    private Token Word(int start)
    {
        while (_at < text.Length && (IsWordStart(Current) || char.IsAsciiDigit(Current) || Current == '$'))
            _at++;
        return new(TokenKind.Word, text[start.._at].ToLowerInvariant(), start);
    }

    private Token Number(int start)
    {
        SkipDigits();
        var isDecimal = Current == '.';
        if (isDecimal)
        {
            _at++;
            SkipDigits();
        }
        if (Current is 'e' or 'E')
        {
            isDecimal = true;
            _at++;
            if (Current is '+' or '-')
                _at++;
            if (!char.IsAsciiDigit(Current))
                throw Wrong(start, "a number ends in its exponent's sign", "Write the exponent's digits, or a space.");
            SkipDigits();
        }
        if (IsWordStart(Current))
            throw Wrong(start, $"'{text[start..(_at + 1)]}' is neither a number nor a name", "Put a space between them.");
        return new(isDecimal ? TokenKind.Decimal : TokenKind.Integer, text[start.._at], start);
    }

    private void SkipDigits()
    {
        while (char.IsAsciiDigit(Current))
            _at++;
    }

    private string Quoted(char quote)
    {
        var start = _at++;
        var value = new StringBuilder();
        for (; ; _at++)
        {
            if (_at == text.Length)
                throw Wrong(start, $"a quoted text does not end", $"Close it with {quote}; a {quote} inside it is written twice.");
            if (text[_at] == quote)
            {
                if (++_at == text.Length || text[_at] != quote)
                    return value.ToString();
            }
            value.Append(text[_at]);
        }
    }

    private Token Escaped(int start)
    {
        _at += 2;
        var value = new StringBuilder();
        while (true)
        {
            if (_at == text.Length)
                throw Wrong(start, "a quoted text does not end", "Close it with '.");
            var c = text[_at++];
            if (c == '\'')
            {
                if (Current != '\'')
                    return new(TokenKind.String, value.ToString(), start);
                _at++;
            }
            value.Append(c == '\\' ? Escape(start) : c.ToString());
        }
    }

    private string Escape(int start)
    {
        var c = Current;
        _at++;
        return c switch
        {
            'b' => "\b",
            'f' => "\f",
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            'x' => Code(start, 2),
            'u' => Code(start, 4),
            'U' => Code(start, 8),
            '\\' or '\'' => c.ToString(),
            // PostgreSQL takes any other character as itself, and E'\v' became the vertical tab only in version 16: neither is what is meant.
            _ => throw Wrong(
                _at - 2,
                $"the escape \\{c} means different things in different versions of PostgreSQL",
                "Use \\b \\f \\n \\r \\t \\\\ \\' or the character's code: \\x0B is the vertical tab."
            ),
        };
    }

    private string Code(int start, int digits)
    {
        if (
            _at + digits > text.Length
            || !int.TryParse(text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || code == 0
            || (digits == 2 && code > 0x7F)
            || !Rune.IsValid(code)
        )
            throw Wrong(
                start,
                "an escape is not a character's code",
                "Use \\x01 to \\x7F, \\u and four, or \\U and eight hexadecimal digits."
            );
        _at += digits;
        return new Rune(code).ToString();
    }

    private Token Symbol(int start)
    {
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(text, _at, symbol, 0, symbol.Length) != 0)
                continue;
            _at += symbol.Length;
            return new(TokenKind.Symbol, symbol, start);
        }
        var word = OperatorAt(start);
        if (!Operators.Contains(word))
            throw Wrong(
                start,
                $"'{(word.Length == 0 ? Current.ToString() : word)}' is not supported",
                $"Operators: {Supported.Operators}."
            );
        _at += word.Length;
        return new(TokenKind.Symbol, word, start);
    }

    /// <summary>5*-1 are two operators, and so are a&lt;-1; but -- begins a comment.</summary>
    private string OperatorAt(int start)
    {
        var end = text.AsSpan(start).IndexOfAnyExcept(OperatorCharacters);
        var word = end < 0 ? text[start..] : text.Substring(start, end);
        if (word.Contains("--", StringComparison.Ordinal) || word.Contains("/*", StringComparison.Ordinal))
            throw Wrong(
                start,
                $"'{word}' holds what begins a comment in SQL",
                "Put a space between the operators; write comments outside of the expression."
            );
        return word.AsSpan().ContainsAny(SignKeepers) ? word : WithoutSigns(word);
    }

    private static string WithoutSigns(string word)
    {
        while (word.Length > 1 && (word[^1] is '+' or '-'))
            word = word[..^1];
        return word;
    }

    private static ExpressionException Wrong(int position, string message, string remedy) =>
        new("expression-syntax", position, message, remedy);
}
