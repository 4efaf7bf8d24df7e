using Cdc.Capture.Source;
using Cdc.Capture.Stream;
using Cdc.Core.Failures;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cdc.Capture.Checks;

/// <summary>A pooler that gives sessions of their own is between us and the source: replication has to pass it too.</summary>
internal static class PoolerCheck
{
    public const string Code = "source-pooler";

    public static async Task<IReadOnlyList<Finding>> FindAsync(SourceOptions options, CancellationToken ct)
    {
        try
        {
            var primary = await SourceConnection.OnPrimaryAsync(options, ct);
            await using var stream = await ReplicationSource.ConnectAsync(primary, NullLogger.Instance, ct);
            return [Finding(isError: false, "A pooler is between cdc and the source.", "Better name the server itself in")];
        }
        catch (Exception e) when (e is CdcException || SourceFailure.Of(e) is not null)
        {
            return
            [
                Finding(
                    isError: true,
                    $"A pooler is between cdc and the source, and replication does not pass it: {e.Message.TrimEnd('.')}.",
                    "Name the server itself in"
                ),
            ];
        }
    }

    private static Finding Finding(bool isError, string message, string remedy) =>
        new(Code, isError, message, $"{remedy} Source:ConnectionString.") { Kind = FailureKind.Configuration };
}
