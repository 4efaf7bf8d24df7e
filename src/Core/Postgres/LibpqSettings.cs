using System.Collections.Frozen;
using System.Globalization;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>libpq's settings (its manual's "Parameter Key Words") as Npgsql's. What has no counterpart is refused by its name.</summary>
internal static class LibpqSettings
{
    /// <summary>Those of the same meaning and the same values. An empty name: of no use here, and harmless to leave out.</summary>
    private static readonly FrozenDictionary<string, string> Alike = new Dictionary<string, string>
    {
        ["dbname"] = "Database",
        ["user"] = "Username",
        ["password"] = "Password",
        ["passfile"] = "Passfile",
        ["options"] = "Options",
        ["application_name"] = "Application Name",
        ["target_session_attrs"] = "Target Session Attributes",
        ["keepalives_idle"] = "Tcp Keepalive Time",
        ["keepalives_interval"] = "Tcp Keepalive Interval",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["sslnegotiation"] = "SSL Negotiation",
        ["channel_binding"] = "Channel Binding",
        ["require_auth"] = "Require Auth",
        ["gssencmode"] = "GSS Encryption Mode",
        ["krbsrvname"] = "Kerberos Service Name",
        // A session of cdc has its own encoding, and watches its connections by itself.
        ["client_encoding"] = "",
        ["fallback_application_name"] = "",
        ["keepalives_count"] = "",
        ["tcp_user_timeout"] = "",
        ["sslcompression"] = "",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Those that need more than another name.</summary>
    private static readonly string[] Others =
    [
        "host",
        "hostaddr",
        "port",
        "connect_timeout",
        "keepalives",
        "sslmode",
        "sslrootcert",
        "load_balance_hosts",
    ];

    /// <summary>What libpq knows and Npgsql does not: to leave it out would connect otherwise than was asked for.</summary>
    private static readonly string[] Without =
    [
        "service",
        "servicefile",
        "replication",
        "requiressl",
        "requirepeer",
        "sslcrl",
        "sslcrldir",
        "sslsni",
        "sslcertmode",
        "sslkeylogfile",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "min_protocol_version",
        "max_protocol_version",
        "gsslib",
        "gssdelegation",
        "scram_client_key",
        "scram_server_key",
        "oauth_issuer",
        "oauth_client_id",
        "oauth_client_secret",
        "oauth_scope",
    ];

    /// <summary>Every keyword of libpq 18.</summary>
    public static readonly FrozenSet<string> Names = ((string[])[.. Alike.Keys, .. Others, .. Without]).ToFrozenSet(StringComparer.Ordinal);

    /// <exception cref="FormatException">Why not, without any value.</exception>
    public static string ToNpgsql(IReadOnlyList<(string Name, string Value)> settings)
    {
        // The last one of a name counts, as with libpq.
        var wanted = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in settings)
            wanted[name] = value;
        var result = new NpgsqlConnectionStringBuilder();
        foreach (var (name, value) in wanted)
        {
            if (!Names.Contains(name))
                throw new FormatException($"has a parameter that libpq does not know: {name}");
            if (Without.Contains(name, StringComparer.Ordinal))
                throw new FormatException($"has {name}, for which Npgsql has no setting: leave it out");
            if (value.Length > 0 && Alike.TryGetValue(name, out var npgsql) && npgsql.Length > 0)
                Set(result, name, npgsql, npgsql.EndsWith("Mode", StringComparison.Ordinal) ? Word(value) : value);
        }
        SetHosts(result, wanted);
        SetTls(result, wanted);
        if (wanted.TryGetValue("connect_timeout", out var seconds))
            Set(result, "connect_timeout", "Timeout", seconds.StartsWith('-') ? "0" : seconds);
        if (wanted.TryGetValue("keepalives", out var keep))
            result.TcpKeepAlive = keep != "0";
        if (wanted.TryGetValue("load_balance_hosts", out var balance))
            result.LoadBalanceHosts = balance == "random";
        return result.ConnectionString;
    }

    private static void SetHosts(NpgsqlConnectionStringBuilder result, Dictionary<string, string> wanted)
    {
        if (wanted.ContainsKey("host") && wanted.ContainsKey("hostaddr"))
            throw new FormatException("has both host and hostaddr: name the server once");
        var hosts = (wanted.GetValueOrDefault("host") ?? wanted.GetValueOrDefault("hostaddr") ?? "").Split(',');
        var ports = wanted.GetValueOrDefault("port", "").Split(',');
        if (ports.Length > 1 && ports.Length != hosts.Length)
            throw new FormatException("has another number of ports than of hosts");
        if (hosts is [""])
            return;
        if (hosts.Any(h => h.Length == 0))
            throw new FormatException("has an empty name among its hosts");
        if (hosts.Length == 1)
        {
            result.Host = hosts[0];
            if (ports[0].Length > 0)
                result.Port = Port(ports[0]);
            return;
        }
        result.Host = string.Join(',', hosts.Select((host, i) => WithPort(host, ports.Length == 1 ? ports[0] : ports[i])));
    }

    private static string WithPort(string host, string port)
    {
        var name = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        return port.Length == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}:{Port(port)}");
    }

    private static int Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
        && port is > 0 and <= System.Net.IPEndPoint.MaxPort
            ? port
            : throw new FormatException("names a port that there is not");

    private static void SetTls(NpgsqlConnectionStringBuilder result, Dictionary<string, string> wanted)
    {
        var root = wanted.GetValueOrDefault("sslrootcert", "");
        var mode = wanted.GetValueOrDefault("sslmode", "");
        // libpq checks the server's certificate wherever there is a root to check it with, and all of it where that is the system's.
        mode = (root, mode) switch
        {
            ("system", "" or "verify-full") => "verify-full",
            ("system", _) => throw new FormatException("has sslrootcert=system, which needs sslmode=verify-full"),
            (not "", "require") => "verify-ca",
            _ => mode,
        };
        if (mode.Length > 0)
            Set(result, "sslmode", "SSL Mode", Word(mode));
        if (root is not ("" or "system"))
            result.RootCertificate = root;
    }

    /// <summary>A name of Npgsql's enums: <c>verify-full</c> is <c>VerifyFull</c> there.</summary>
    private static string Word(string value) => value.Replace("-", "", StringComparison.Ordinal);

    private static void Set(NpgsqlConnectionStringBuilder result, string name, string npgsql, string value)
    {
        try
        {
            result[npgsql] = value;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            throw new FormatException($"has a value of {name} that cannot be read");
        }
    }
}
