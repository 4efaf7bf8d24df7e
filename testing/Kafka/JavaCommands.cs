using Cdc.Testing.Processes;

namespace Cdc.Testing.Kafka;

/// <summary>Programs out of Kafka's jars.</summary>
internal static class JavaCommands
{
    /// <summary>Up in seconds, and small.</summary>
    public static string[] Frugal(int megabytes) => [$"-Xmx{megabytes}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

    public static string[] Machine(KafkaBrokerRole role) =>
        role is KafkaBrokerRole.Measured ? ["-Xmx1g", "-Xms1g", "-XX:+UseG1GC"] : Frugal(384);

    public static string[] ClassPath(this KafkaHome home) => ["-cp", Path.Combine(home.Folder, "libs", "*")];

    /// <param name="arguments">Of java.</param>
    public static Task<WatchedProcess> StartAsync(string folder, string[] arguments, CancellationToken ct) =>
        StartAsync(folder, [], arguments, ct);

    /// <param name="enter">What stands before java: it must end by becoming java.</param>
    /// <param name="arguments">Of java.</param>
    public static Task<WatchedProcess> StartAsync(string folder, string[] enter, string[] arguments, CancellationToken ct)
    {
        string[] command = [.. enter, "java", .. arguments];
        return WatchedProcess.StartAsync(
            new WatchedCommand(command[0], command[1..]) { OrphanScratch = folder, WorkingDirectory = folder },
            ct
        );
    }
}
