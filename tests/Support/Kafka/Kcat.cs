using Cdc.Log.Kafka;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;

namespace Cdc.Tests.Support.Kafka;

/// <summary>kcat, the usual tool to read topics by hand: another client than ours.</summary>
public static class Kcat
{
    private const string Installed = "/usr/bin/kcat";

    /// <returns>What it wrote.</returns>
    /// <exception cref="MissingPrerequisiteException">It is not there: a skip, with CI set a failure.</exception>
    public static Task<string> RunAsync(KafkaOptions options, CancellationToken ct, params IEnumerable<string> arguments)
    {
        var program = Environment.GetEnvironmentVariable("CDC_KCAT") ?? Installed;
        if (!File.Exists(program))
            throw new MissingPrerequisiteException("There is no kcat: install Debian's package kcat, or name its path in CDC_KCAT.");
        // Without a log: it only reads, and would warn of settings of producers.
        return Tool.RunAsync(
            [
                program,
                "-b",
                options.BootstrapServers,
                "-q",
                "-X",
                "log_level=0",
                .. options.Client.SelectMany(s => (string[])["-X", $"{s.Key}={s.Value}"]),
                .. arguments,
            ],
            ct
        );
    }
}
