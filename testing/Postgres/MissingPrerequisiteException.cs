namespace Cdc.Testing.Postgres;

/// <summary>
/// This machine lacks what a test needs. xunit v3 takes a message with its token for a skip; with CI set it is a failure, or a build
/// machine without PostgreSQL would stay green.
/// </summary>
public sealed class MissingPrerequisiteException(string message) : Exception(SkipOrFail(message))
{
    private const string SkipToken = "$XunitDynamicSkip$";

    /// <summary>The message without xunit's token, for people.</summary>
    public string Reason { get; } = message;

    private static string SkipOrFail(string message) =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")) ? SkipToken + message : message;
}
