using System.Text;

namespace Cdc.Testing.Postgres;

/// <summary>What a test cluster's postgresql.conf adds to PostgreSQL's defaults.</summary>
internal static class PgConfiguration
{
    // sun_path has 108 bytes, and the file's name comes on top.
    private const int LongestSocketFolder = 80;

    public static string Text(PgClusterOptions options, string folder)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["listen_addresses"] = "'127.0.0.1'",
            ["unix_socket_directories"] = Encoding.UTF8.GetByteCount(folder) > LongestSocketFolder ? "''" : $"'\"{folder}\"'",
        };
        foreach (var (name, value) in Settings(options))
            settings[name] = value;
        return string.Concat(settings.Select(s => $"{s.Key} = {s.Value}\n"));
    }

    /// <summary>Wherever the server runs; names and values need no quotes.</summary>
    public static IReadOnlyDictionary<string, string> Settings(PgClusterOptions options)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["wal_level"] = "logical",
            ["fsync"] = options.Fsync ? "on" : "off",
            ["max_connections"] = "100",
            ["max_wal_senders"] = "20",
            ["max_replication_slots"] = "20",
            ["max_prepared_transactions"] = "10",
            ["shared_buffers"] = options.SharedBuffers,
            ["max_wal_size"] = options.Fsync ? "4GB" : "1GB",
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
            ["lc_messages"] = "C",
            ["jit"] = "off",
        };
        foreach (var (name, value) in options.Settings)
            settings[name] = value;
        return settings;
    }
}
