using System.Text;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Log.Kafka;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Apply.Partitions;

/// <summary>
/// Shows each row that goes to quarantine as a record of its topic's <c>.dlq</c>, in JSON, for people and tools to read: at least once, and
/// again when it fails again. Nothing is read back from there, and nothing waits for it.
/// </summary>
internal sealed class DeadLetters(
    EntitySet entities,
    Func<EntityDeclaration, string> topicOf,
    KafkaLogSession kafka,
    Reopened<DeskConnection> desk,
    ILogger log
)
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private sealed record Letter(string Entity, long Key, int Attempts, string Json);

    private const string UnsentSql = """
        SELECT entity, key, attempts, json_build_object('entity', entity, 'key', key, 'reason', reason, 'detail', detail, 'row', source_row,
            'position', json_build_object('generation', generation, 'lsn', lsn, 'ordinal', ordinal), 'commitAt', commit_at, 'firstSeen', first_seen, 'attempts', attempts)::text
        FROM cdc.quarantine WHERE published_attempts < attempts ORDER BY last_seen LIMIT 200
        """;

    private const string SentSql = """
        UPDATE cdc.quarantine q SET published_attempts = s.attempts FROM unnest($1::text[], $2::bigint[], $3::integer[]) s(entity, key, attempts)
        WHERE q.entity = s.entity AND q.key = s.key
        """;

    /// <summary>Until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Beat);
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false))
        {
            var letters = await desk.TryAsync(d => d.UseAsync(connection => UnsentAsync(connection, ct), ct), [], ct).ConfigureAwait(false);
            if (letters.Count == 0 || !await TrySendAsync(letters, ct).ConfigureAwait(false))
                continue;
            await desk.TryAsync(d => d.UseAsync(connection => SetSentAsync(connection, letters, ct), ct), 0, ct).ConfigureAwait(false);
        }
    }

    private async Task<bool> TrySendAsync(IReadOnlyList<Letter> letters, CancellationToken ct)
    {
        try
        {
            await Task.WhenAll(
                    letters
                        .Where(l => entities.Find(l.Entity) is not null)
                        .Select(letter =>
                            kafka.AppendAsideAsync(
                                LogTopics.DeadLetterTopic(topicOf(entities.Find(letter.Entity)!)),
                                Encoding.UTF8.GetBytes($"{letter.Entity}/{letter.Key}"),
                                Encoding.UTF8.GetBytes(letter.Json),
                                ct
                            )
                        )
                )
                .WaitAsync(ct)
                .ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (KafkaFailure.Explain(e) is { } failure)
        {
            DeadLetterLog.NotSent(log, letters.Count, failure.Message, failure.Remedy);
            return false;
        }
    }

    private static async Task<IReadOnlyList<Letter>> UnsentAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var letters = new List<Letter>();
        await using var command = new NpgsqlCommand(UnsentSql, connection);
        await command.PrepareAsync(ct).ConfigureAwait(false);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            letters.Add(new Letter(reader.GetString(0), reader.GetInt64(1), reader.GetInt32(2), reader.GetString(3)));
        return letters;
    }

    private static async Task<int> SetSentAsync(NpgsqlConnection connection, IReadOnlyList<Letter> letters, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(SentSql, connection)
        {
            Parameters =
            {
                new() { Value = letters.Select(l => l.Entity).ToArray() },
                new() { Value = letters.Select(l => l.Key).ToArray() },
                new() { Value = letters.Select(l => l.Attempts).ToArray() },
            },
        };
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}

internal static partial class DeadLetterLog
{
    [LoggerMessage(521, LogLevel.Warning, "{Rows} quarantined rows are not in their .dlq topics yet: {Reason} {Remedy}")]
    public static partial void NotSent(ILogger log, int rows, string reason, string remedy);
}
