using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>
/// The three forms in which a server is named: Npgsql's (<c>Host=…;Database=…</c>), a URI (<c>postgresql://user@host/database</c>) and
/// libpq's (<c>host=… dbname=…</c>), as psql takes the last two. All become Npgsql's.
/// </summary>
public static class ConnectionText
{
    /// <returns>A connection string of Npgsql with a host.</returns>
    /// <exception cref="FormatException">Why it is none, without a value of it: there are passwords among them.</exception>
    public static string ToNpgsql(string text)
    {
        var npgsql =
            LibpqText.IsUri(text) ? LibpqSettings.ToNpgsql(LibpqText.FromUri(text))
            : !IsNpgsql(text) && LibpqText.TryParse(text, out var settings) ? LibpqSettings.ToNpgsql(settings)
            : text;
        if (!TryParse(npgsql, out var parsed) || HasStrangeHost(parsed))
            throw new FormatException("is no connection string that can be read");
        if (string.IsNullOrWhiteSpace(parsed.Host))
            throw new FormatException("names no host");
        if (parsed.Port is < 1 or > System.Net.IPEndPoint.MaxPort)
            throw new FormatException("names a port that there is not");
        return npgsql;
    }

    /// <summary>
    /// A text of libpq that has no semicolon is, to Npgsql, one setting with a strange value. No host has an equals sign in it.
    /// </summary>
    private static bool IsNpgsql(string text) =>
        TryParse(text, out var parsed) && !string.IsNullOrEmpty(parsed.Host) && !HasStrangeHost(parsed);

    private static bool HasStrangeHost(NpgsqlConnectionStringBuilder parsed) =>
        parsed.Host?.Contains('=', StringComparison.Ordinal) == true;

    private static bool TryParse(string text, [NotNullWhen(true)] out NpgsqlConnectionStringBuilder? parsed)
    {
        try
        {
            parsed = new NpgsqlConnectionStringBuilder(text);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException or NotSupportedException)
        {
            parsed = null;
            return false;
        }
    }
}
