using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions;

internal enum TokenKind
{
    End,

    /// <summary>An unquoted word in lower case: a keyword, a name, a function.</summary>
    Word,
    QuotedName,
    Integer,
    Decimal,
    String,
    Symbol,
}

/// <param name="Text">The value: a string without its quotes and escapes, a word in lower case.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Position)
{
    public bool Is(string symbolOrWord) => Kind is TokenKind.Word or TokenKind.Symbol && Text == symbolOrWord;

    public override string ToString() =>
        Kind switch
        {
            TokenKind.End => "the end",
            TokenKind.String => $"'{Text}'",
            TokenKind.QuotedName => $"\"{Text}\"",
            _ => $"'{Text}'",
        };
}
