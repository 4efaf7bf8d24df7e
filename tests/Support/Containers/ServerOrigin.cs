namespace Cdc.Tests.Support.Containers;

/// <summary>Where a server that all tests share comes from.</summary>
public enum ServerOrigin
{
    /// <summary>Programs on this machine, started by the tests.</summary>
    Own,

    /// <summary>An environment variable names one.</summary>
    Given,

    /// <summary>Docker: <c>CDC_TEST_CONTAINERS=1</c>.</summary>
    Container,
}

/// <summary>The origin of each server of a test run, from the environment alone.</summary>
public sealed record ServerOrigins(ServerOrigin Source, ServerOrigin Engine, ServerOrigin Kafka)
{
    public const string Containers = "CDC_TEST_CONTAINERS";
    public const string SourceVariable = "CDC_TEST_SOURCE";
    public const string EngineVariable = "CDC_TEST_ENGINE";
    public const string KafkaVariable = "CDC_TEST_KAFKA";

    public static ServerOrigins Here { get; } = Of(Environment.GetEnvironmentVariable);

    /// <param name="environment">The value of a variable; null: it is not set.</param>
    /// <exception cref="ArgumentException"><c>CDC_TEST_CONTAINERS</c> is neither 1 nor 0 nor nothing.</exception>
    public static ServerOrigins Of(Func<string, string?> environment)
    {
        var otherwise = environment(Containers) switch
        {
            "1" => ServerOrigin.Container,
            null or "" or "0" => ServerOrigin.Own,
            var other => throw new ArgumentException($"{Containers} is '{other}': it must be 1, or 0 or nothing."),
        };
        return new ServerOrigins(Origin(SourceVariable), Origin(EngineVariable), Origin(KafkaVariable));

        // A server that is named wins: containers are for those that are not.
        ServerOrigin Origin(string variable) => environment(variable) is { Length: > 0 } ? ServerOrigin.Given : otherwise;
    }
}
