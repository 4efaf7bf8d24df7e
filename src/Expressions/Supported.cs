namespace Cdc.Expressions;

/// <summary>What the language has, in the words of its error messages.</summary>
internal static class Supported
{
    public const string Operators =
        "= <> < <= > >=, + - *, jsonb -> 'key', jsonb ->> 'key', ::type, AND, OR, NOT, IS [NOT] NULL, IS [NOT] DISTINCT FROM, [NOT] IN (literals), CASE WHEN ... THEN ... ELSE ... END, AT TIME ZONE 'UTC', COLLATE \"C\"";

    public const string Functions =
        "upper(text), lower(text), btrim(text[, characters]), ltrim, rtrim, length(text), round(numeric[, digits]), abs(number), coalesce(...), nullif(a, b), greatest(...), least(...)";
}
