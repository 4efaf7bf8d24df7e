using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Cdc.Core.Postgres;

/// <summary>
/// Takes the texts that libpq takes apart into its settings, in their order: PostgreSQL's manual, "Connection Strings". Messages have no
/// values in them.
/// </summary>
internal static class LibpqText
{
    private static readonly string[] Schemes = ["postgresql://", "postgres://"];

    public static bool IsUri(string text) => Schemes.Any(s => text.TrimStart().StartsWith(s, StringComparison.OrdinalIgnoreCase));

    /// <summary>Pairs of <c>keyword = value</c>; a value may be quoted by ', and a backslash takes the next character as it is.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out IReadOnlyList<(string Name, string Value)>? settings)
    {
        settings = null;
        var found = new List<(string, string)>();
        var at = 0;
        while (SkipBlanks(text, ref at))
        {
            var begin = at;
            while (at < text.Length && text[at] != '=' && !char.IsWhiteSpace(text[at]))
                at++;
            var name = text[begin..at];
            if (!SkipBlanks(text, ref at) || text[at++] != '=' || !LibpqSettings.Names.Contains(name))
                return false;
            SkipBlanks(text, ref at);
            if (Value(text, ref at) is not { } value)
                return false;
            found.Add((name, value));
        }
        settings = found;
        return found.Count > 0;
    }

    /// <exception cref="FormatException">It is no URI that libpq would take.</exception>
    public static IReadOnlyList<(string Name, string Value)> FromUri(string text)
    {
        var rest = text.Trim();
        rest = rest[(rest.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var query = Cut(ref rest, rest.IndexOf('?', StringComparison.Ordinal));
        var database = Cut(ref rest, rest.IndexOf('/', StringComparison.Ordinal));
        var settings = new List<(string, string)>();
        // As libpq does: the first @ ends the user, so one in a password is written %40.
        var login = rest.IndexOf('@', StringComparison.Ordinal);
        if (login >= 0)
        {
            var user = rest[..login];
            rest = rest[(login + 1)..];
            var password = Cut(ref user, user.IndexOf(':', StringComparison.Ordinal));
            Add(settings, "user", user);
            Add(settings, "password", password);
        }
        AddHosts(settings, rest);
        Add(settings, "dbname", database);
        foreach (var parameter in (query ?? "").Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (parameter.Split('=') is not [var name, var value])
                throw new FormatException("is a URI with a parameter that is not name=value");
            // What JDBC writes, and libpq takes.
            if ((name, value) is ("ssl", "true"))
                (name, value) = ("sslmode", "require");
            Add(settings, Decode(name), value);
        }
        return settings;
    }

    private static void AddHosts(List<(string, string)> settings, string text)
    {
        if (text.Length == 0)
            return;
        var (hosts, ports) = (new List<string>(), new List<string>());
        foreach (var part in text.Split(','))
        {
            var isIPv6 = part.StartsWith('[');
            var end = isIPv6 ? part.IndexOf(']', StringComparison.Ordinal) : part.IndexOf(':', StringComparison.Ordinal);
            if (isIPv6 && (end < 0 || (end + 1 < part.Length && part[end + 1] != ':')))
                throw new FormatException("is a URI with an address that is not [IPv6] or [IPv6]:port");
            var host =
                isIPv6 ? part[1..end]
                : end < 0 ? part
                : part[..end];
            var rest =
                isIPv6 ? part[(end + 1)..]
                : end < 0 ? ""
                : part[end..];
            hosts.Add(host);
            ports.Add(rest.TrimStart(':'));
        }
        Add(settings, "host", string.Join(',', hosts));
        if (ports.Any(p => p.Length > 0))
            Add(settings, "port", string.Join(',', ports));
    }

    private static void Add(List<(string, string)> settings, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            settings.Add((name, Decode(value)));
    }

    private static string Decode(string text)
    {
        for (var i = text.IndexOf('%', StringComparison.Ordinal); i >= 0; i = text.IndexOf('%', i + 1))
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                throw new FormatException("is a URI with a % that two hexadecimal digits do not follow (write %25)");
        return Uri.UnescapeDataString(text);
    }

    /// <returns>What stands behind the place, which is cut off; null if there is no such place.</returns>
    private static string? Cut(ref string text, int place)
    {
        if (place < 0)
            return null;
        var behind = text[(place + 1)..];
        text = text[..place];
        return behind;
    }

    private static bool SkipBlanks(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
            at++;
        return at < text.Length;
    }

    /// <summary>Null: a quote is not closed.</summary>
    private static string? Value(string text, ref int at)
    {
        var isQuoted = at < text.Length && text[at] == '\'';
        at += isQuoted ? 1 : 0;
        var value = new StringBuilder();
        for (; at < text.Length; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            else if (isQuoted && text[at] == '\'')
            {
                at++;
                return value.ToString();
            }
            else if (!isQuoted && char.IsWhiteSpace(text[at]))
                break;
            value.Append(text[at]);
        }
        return isQuoted ? null : value.ToString();
    }
}
