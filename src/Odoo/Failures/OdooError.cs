using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cdc.Odoo.Failures;

/// <summary>
/// An exception of Odoo's as it comes over either transport: the body of a JSON-2 answer with an HTTP status, or <c>error.data</c> of a
/// JSON-RPC answer with HTTP 200 (whose <c>error.code</c> is 200 until 18 and 0 in 19, and says nothing).
/// </summary>
/// <param name="Name">Python's, with its module: <c>odoo.exceptions.UserError</c>.</param>
/// <param name="Status">HTTP's; 200 over JSON-RPC.</param>
internal sealed partial record OdooError(string Name, string Message, int Status)
{
    private const int LongestText = 300;

    /// <summary>
    /// For a person: of an error in a server action without the action's whole code, of one of PostgreSQL without its values.
    /// </summary>
    public string Text
    {
        get
        {
            var text = Ends().Match(Message) is { Success: true } end ? Message[..end.Index] : Message;
            text = Space().Replace(text, " ").Trim().TrimEnd('.', ' ', '"', '\'', '(');
            return text.Length <= LongestText ? text : text[..LongestText] + "…";
        }
    }

    /// <summary>
    /// It was thrown by the code of a server action: which Odoo tells by this text alone, around the exception's own name.
    /// </summary>
    public bool IsOfAction => Message.Contains(" while evaluating", StringComparison.Ordinal);

    /// <summary>The exception inside that of a server action: <c>UniqueViolation</c>; null: it cannot be read.</summary>
    public string? ActionName =>
        ActionNames().Match(Message) is { Success: true } m ? (m.Groups[1].Success ? m.Groups[1] : m.Groups[2]).Value : null;

    /// <summary>Null: it is not of that shape.</summary>
    public static OdooError? Read(JsonElement json, int status) =>
        json.ValueKind == JsonValueKind.Object
        && json.TryGetProperty("name", out var name)
        && name.ValueKind == JsonValueKind.String
        && json.TryGetProperty("message", out var message)
            ? new OdooError(name.GetString()!, message.ToString(), status)
            : null;

    /// <summary>
    /// 19 writes <c>UniqueViolation('…')</c>, older ones <c>&lt;class 'psycopg2.errors.UniqueViolation'&gt;: "…"</c>.
    /// </summary>
    [GeneratedRegex(@"^(?:<class '(?:\w+\.)*(\w+)'>|(\w+)\()")]
    private static partial Regex ActionNames();

    [GeneratedRegex(@"(\\n|\n)*DETAIL:|(\\n|\n)*""?'?\)? while evaluating|\\nLINE ")]
    private static partial Regex Ends();

    [GeneratedRegex(@"(\s|\\n)+")]
    private static partial Regex Space();
}
