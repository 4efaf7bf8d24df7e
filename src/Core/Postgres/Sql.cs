namespace Cdc.Core.Postgres;

/// <summary>Quoting for SQL text.</summary>
public static class Sql
{
    /// <summary>An identifier, quoted unless it is plainly lower-case letters, digits and underscores.</summary>
    public static string Identifier(string name) =>
        name.Length > 0
        && !char.IsAsciiDigit(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
        && !Reserved.Contains(name)
            ? name
            : '"' + name.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';

    /// <summary>A string literal.</summary>
    public static string Literal(string text) =>
        (text.Contains('\\', StringComparison.Ordinal) ? " E'" : "'")
        + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)
        + "'";

    private static readonly HashSet<string> Reserved =
    [
        "all",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "both",
        "case",
        "cast",
        "check",
        "collate",
        "column",
        "constraint",
        "create",
        "default",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "false",
        "fetch",
        "for",
        "foreign",
        "from",
        "grant",
        "group",
        "having",
        "in",
        "initially",
        "intersect",
        "into",
        "leading",
        "limit",
        "not",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "primary",
        "references",
        "returning",
        "select",
        "some",
        "symmetric",
        "table",
        "then",
        "to",
        "trailing",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "variadic",
        "when",
        "where",
        "window",
        "with",
    ];
}
