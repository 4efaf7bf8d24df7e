using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>
/// Where a connection string leads: to one host, to the primary among several, or into a folder of Unix sockets.
/// </summary>
public static class ServerHosts
{
    public static bool AreSeveral(NpgsqlConnectionStringBuilder settings) => settings.Host?.Contains(',', StringComparison.Ordinal) == true;

    /// <summary>Some host is a folder of sockets: there is no TCP, and its settings are refused.</summary>
    public static bool UsesSocket(NpgsqlConnectionStringBuilder settings) =>
        settings.Host?.Split(',').Any(host => host.TrimStart() is ['/' or '@', ..]) == true;

    /// <summary>Such as <c>db.example:5432/odoo</c>: without user or password.</summary>
    public static string NameOf(NpgsqlConnectionStringBuilder settings) =>
        AreSeveral(settings) ? $"{settings.Host}/{settings.Database}" : $"{settings.Host}:{settings.Port}/{settings.Database}";

    /// <summary>
    /// Several hosts, and nothing said about which: the primary is meant, since everything here writes, or reads what was written last. What is
    /// said of several is refused by Npgsql where there is one.
    /// </summary>
    internal static NpgsqlConnectionStringBuilder Fit(NpgsqlConnectionStringBuilder settings)
    {
        settings.TargetSessionAttributes = AreSeveral(settings) ? settings.TargetSessionAttributes ?? "primary" : null;
        if (UsesSocket(settings))
            WithoutTcp(settings);
        return settings;
    }

    /// <summary>
    /// The host among several that is the primary now, found by an ordinary connection. All connections of a session, and one for
    /// replication, are opened to that one: two servers may both take themselves for the primary, and a replication connection takes one host
    /// only. After a failover it is another one.
    /// </summary>
    /// <returns>The connection string with that host alone. With one host: the string without what is said of several.</returns>
    /// <exception cref="NpgsqlException">No host answers, or none of them is the primary.</exception>
    public static async Task<string> FindPrimaryAsync(string connectionString, CancellationToken ct)
    {
        var result = new NpgsqlConnectionStringBuilder(connectionString);
        if (AreSeveral(result))
        {
            var settings = ServerTimeouts.Settings(connectionString);
            (settings.Pooling, settings.ApplicationName) = (false, settings.ApplicationName ?? "cdc");
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(ct);
            (result.Host, result.Port) = (connection.Host, connection.Port);
        }
        foreach (var setting in (string[])["Target Session Attributes", "Load Balance Hosts", "Host Recheck Seconds"])
            result.Remove(setting);
        return result.ConnectionString;
    }

    /// <summary>Npgsql's own Build refuses several hosts whose string says which of them is meant.</summary>
    public static NpgsqlDataSource BuildFor(this NpgsqlDataSourceBuilder builder)
    {
        var settings = builder.ConnectionStringBuilder;
        var target = settings.TargetSessionAttributes;
        settings.TargetSessionAttributes = null;
        return AreSeveral(settings) && target is not null
            ? builder
                .BuildMultiHost()
                .WithTargetSession(Enum.Parse<TargetSessionAttributes>(target.Replace("-", "", StringComparison.Ordinal), ignoreCase: true))
            : builder.Build();
    }

    private static void WithoutTcp(NpgsqlConnectionStringBuilder settings) =>
        (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval) = (false, 0, 0);
}
