using System.Globalization;
using System.Text;
using Cdc.Core.Failures;

namespace Cdc.Core.Postgres;

/// <summary>The encoding of a server's database, as PostgreSQL names it, and what follows where it is not UTF-8.</summary>
public static class ServerEncoding
{
    public const string Utf8 = "UTF8";

    /// <summary>No encoding: PostgreSQL keeps whatever bytes it is given, and converts nothing.</summary>
    public const string None = "SQL_ASCII";

    private const string Latin1 = "LATIN1";

    /// <summary>The highest character that is the same byte in every encoding of a server.</summary>
    private const char LastAscii = '\x7F';
    private const char LastLatin1 = '\xFF';

    /// <param name="parameters">What a connection's server reported at login.</param>
    public static string Of(IReadOnlyDictionary<string, string> parameters) => parameters.GetValueOrDefault("server_encoding", Utf8);

    /// <summary>
    /// The client's encoding where rows are carried as they are. A server without an encoding does not convert, but refuses to send to a
    /// client in UTF-8 what is not UTF-8: it would end the whole stream at one such value, again at each try. As bytes they arrive, and the
    /// engine refuses that row alone.
    /// </summary>
    public static string ForRows(string server) => server == None ? None : Utf8;

    public static string SetForRows(string server) => $"SET client_encoding = {Sql.Literal(ForRows(server))}";

    /// <returns>A warning; null for a database in UTF-8.</returns>
    public static Finding? FindingOf(Server server, string encoding) =>
        (server, encoding) switch
        {
            (_, Utf8) => null,
            (Server.Source, None) => Warning(
                "source-encoding",
                "The source's database has no encoding (SQL_ASCII): a row with a text that is not UTF-8 goes to quarantine.",
                "Nothing where all texts are UTF-8. Else restore a dump into a database that is: createdb -T template0 -E UTF8 …"
            ),
            (Server.Source, _) => Warning(
                "source-encoding",
                $"The source's database is in {encoding}: PostgreSQL converts its texts to UTF-8.",
                "Nothing to do: UTF-8 has every character of it."
            ),
            (_, None) => Warning(
                "engine-encoding",
                "The engine's database has no encoding (SQL_ASCII): it counts the bytes of a text where a column has a length.",
                NewEngine
            ),
            _ => Warning(
                "engine-encoding",
                $"The engine's database is in {encoding}: a row with a character that it lacks goes to quarantine.",
                NewEngine
            ),
        };

    private const string NewEngine = "Begin with a database in UTF-8: CREATE DATABASE loyalty TEMPLATE template0 ENCODING 'UTF8';";

    private static Finding Warning(string code, string message, string remedy) => new(code, IsError: false, message, remedy);

    /// <summary>
    /// For what people look at: characters that the server's encoding may lack as <c>\u2605</c>, so that explaining a row fails for no
    /// reason that the row itself has.
    /// </summary>
    /// <param name="server">The encoding of the server that is going to keep the text.</param>
    public static string Shown(string text, string server)
    {
        var last = LastOf(server);
        if (server is Utf8 or None || text.All(c => c <= last))
            return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var c in text)
            if (c <= last)
                shown.Append(c);
            else
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        return shown.ToString();
    }

    /// <summary>
    /// The same of a JSON document, which still is one. In a jsonb PostgreSQL turns <c>\u2605</c> into the character, and refuses one that
    /// it lacks: there the backslash is written twice, so that it is text.
    /// </summary>
    public static string ShownJson(string json, string server)
    {
        if (server == Utf8)
            return json;
        var last = LastOf(server);
        var shown = new StringBuilder(json.Length + 16);
        for (var i = 0; i < json.Length; i++)
        {
            var c = json[i];
            if (c == '\\' && CharacterAt(json, i) is { } escaped)
            {
                shown.Append(escaped > last ? @"\\" : @"\").Append(json, i + 1, EscapeLength - 1);
                i += EscapeLength - 1;
            }
            else if (c == '\\')
                shown.Append(c).Append(json[++i]);
            else if (c <= last || server == None)
                shown.Append(c);
            else
                shown.Append(CultureInfo.InvariantCulture, $@"\\u{(int)c:x4}");
        }
        return shown.ToString();
    }

    /// <summary>Of an escape such as <c>\u2605</c>.</summary>
    private const int EscapeLength = 6;

    private static char LastOf(string server) => server == Latin1 ? LastLatin1 : LastAscii;

    /// <summary>Null: another escape stands there.</summary>
    private static char? CharacterAt(string json, int backslash) =>
        json.AsSpan(backslash) is ['\\', 'u', _, _, _, _, ..]
        && ushort.TryParse(json.AsSpan(backslash + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var c)
            ? (char)c
            : null;
}
