using Cdc.Core.Failures;

namespace Cdc.Host;

/// <summary>The one place where an outcome becomes the process's exit code. docs/commands.md lists them.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>
    /// A signal ended a command that had not finished (128 + SIGINT, as shells have it). <c>cdc run</c> drains and ends with 0.
    /// </summary>
    public const int Interrupted = 130;

    public static int Of(FailureKind kind) => (int)kind;

    public static int Of(Exception failure) => Of(failure is CdcException known ? known.Kind : FailureKind.Unexpected);
}
