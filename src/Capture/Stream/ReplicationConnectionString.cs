using System.Globalization;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Stream;

/// <param name="Version">What the server has at least: it refuses settings that it does not know.</param>
/// <param name="Encoding">Of its database.</param>
internal sealed record ReplicatedServer(Version Version, string Encoding = ServerEncoding.Utf8);

/// <summary>What the replication connection needs beside the source's own settings.</summary>
internal static class ReplicationConnectionString
{
    public static string For(SourceOptions options, ReplicationTimeouts timeouts, ReplicatedServer server)
    {
        var text = ServerTimeouts.Settings(options.ConnectionString);
        text.ClientEncoding = ServerEncoding.ForRows(server.Encoding);
        // The walsender sends a packet a message: a large buffer takes hundreds of them at a time.
        text.ReadBufferSize = 65536;
        text.ApplicationName ??= "cdc capture";
        text.Options = string.Join(
            ' ',
            Settings(options, timeouts, server.Version).Prepend(text.Options).Where(part => !string.IsNullOrEmpty(part))
        );
        return text.ConnectionString;
    }

    private static IEnumerable<string> Settings(SourceOptions options, ReplicationTimeouts timeouts, Version server) =>
        [
            .. SessionSettings.For(server).Select(pinned => Setting(pinned.Name, pinned.Value)),
            Setting("logical_decoding_work_mem", options.LogicalDecodingWorkMem),
            Setting("wal_sender_timeout", timeouts.Sender.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)),
        ];

    /// <summary>In <c>options</c> a blank ends a setting and a backslash takes the next character as it is.</summary>
    private static string Setting(string name, string value) =>
        $"-c {name}={value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(" ", "\\ ", StringComparison.Ordinal)}";
}
