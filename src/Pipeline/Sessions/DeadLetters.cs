using System.Text;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Engine.LogCapture;
using Cdc.Engine.Tables;
using Cdc.Log.Kafka;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline.Sessions;

/// <summary>
/// Shows each row that goes to quarantine as a record of its topic's dead letter topic, in JSON, for people and tools to read: at least once, and
/// again when it fails again. Nothing is read back from there, and nothing waits for it.
/// </summary>
internal sealed class DeadLetters(
    EntitySet entities,
    Func<EntityDeclaration, string> deadLetterTopicOf,
    KafkaLogSession kafka,
    CaptureEngineSide engine,
    ILogger log
)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    /// <summary>Until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(PollInterval);
        while (await timer.WaitForNextTickAsync(ct))
        {
            var letters = await engine.UnpublishedAsync(ct);
            if (letters.Count > 0 && await TrySendAsync(letters, ct))
                await engine.SetPublishedAsync(letters, ct);
        }
    }

    private async Task<bool> TrySendAsync(IReadOnlyList<UnpublishedRow> letters, CancellationToken ct)
    {
        try
        {
            await Task.WhenAll(letters.Where(l => entities.Find(l.Entity) is not null).Select(letter => SendAsync(letter, ct)))
                .WaitAsync(ct);
            return true;
        }
        catch (Exception e) when ((e as CdcException ?? KafkaFailure.Explain(e)) is { } failure)
        {
            DeadLetterLog.NotSent(log, letters.Count, failure.Message, failure.Remedy);
            return false;
        }
    }

    private Task SendAsync(UnpublishedRow letter, CancellationToken ct) =>
        kafka.AppendAsideAsync(
            deadLetterTopicOf(entities.Find(letter.Entity)!),
            Encoding.UTF8.GetBytes($"{letter.Entity}/{KeyText.Of(letter.Key)}"),
            Encoding.UTF8.GetBytes(letter.Json),
            ct
        );
}

internal static partial class DeadLetterLog
{
    [LoggerMessage(521, LogLevel.Warning, "{Rows} quarantined rows are not in their dlq topics yet: {Reason} {Remedy}")]
    public static partial void NotSent(ILogger log, int rows, string reason, string remedy);
}
