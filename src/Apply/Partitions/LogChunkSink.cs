using Cdc.Apply.Snapshots;
using Cdc.Core.Failures;
using Cdc.Core.Progress;
using Cdc.Core.Snapshots;
using Cdc.Engine.Snapshots;
using Cdc.Log.Kafka;
using Npgsql;

namespace Cdc.Apply.Partitions;

/// <summary>
/// Chunks over the Kafka log: their rows travel in it. When every partition of the topic has passed a chunk's end, its range is swept and
/// recorded as finished.
/// </summary>
internal sealed class LogChunkSink(Reopened<DeskConnection> desk, Reopened<ChunkSink> sink) : IChunkSink
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private const string PassedSql = """
        SELECT NOT EXISTS (SELECT FROM jsonb_each_text($1::jsonb) v LEFT JOIN cdc.checkpoints c ON c.partition = v.key
                           WHERE coalesce(c.next_offset, -1) < v.value::bigint)
        """;

    public bool TryReserve(Chunk chunk) => false;

    public Task LoadAsync(Chunk chunk, ChunkRows rows, CancellationToken ct) =>
        throw new InvalidOperationException("Over Kafka a chunk's rows travel in the log.");

    public async Task<long> FinishAsync(Chunk chunk, CancellationToken ct)
    {
        while (
            !await desk.TryAsync(d => d.UseAsync(connection => HasPassedAsync(connection, chunk, ct), ct), false, ct).ConfigureAwait(false)
        )
            await Task.Delay(Look, ct).ConfigureAwait(false);
        // A sweep may be repeated: what was committed when the engine went away finds nothing more.
        return
            await sink.InsistAsync(async s => (object)await s.FinishAsync(chunk, ct).ConfigureAwait(false), ct).ConfigureAwait(false)
                is long swept
            ? swept
            : 0;
    }

    private static async Task<bool> HasPassedAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(PassedSql, connection)
        {
            Parameters = { new() { Value = LogVector.ToJson(chunk.Vector!) } },
        };
        await command.PrepareAsync(ct).ConfigureAwait(false);
        return (bool)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
    }
}

/// <summary>A chunk is void when another capture session has begun, in the engine or in one of the log's partitions.</summary>
internal sealed class LogChunkOwner(KafkaLogSession log, long session) : IChunkOwner
{
    public async Task AssertOwnedAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct)
    {
        await using (
            var ours = new NpgsqlCommand("SELECT FROM cdc.source WHERE session = $1 AND state = 'streaming' FOR SHARE", connection)
            {
                Parameters = { new() { Value = session } },
            }
        )
        await using (var row = await ours.ExecuteReaderAsync(ct).ConfigureAwait(false))
            if (!await row.ReadAsync(ct).ConfigureAwait(false))
                throw new FencedException($"Session {session} is not the one that follows the source any more.");
        await using var command = new NpgsqlCommand(LogSql.Passed, connection)
        {
            Parameters = { new() { Value = chunk.Vector!.Keys.ToArray() } },
        };
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            if (reader.GetInt64(2) > log.Number)
                throw new FencedException(
                    $"Partition {reader.GetString(0)} has records of session {reader.GetInt64(2)}; this one is {log.Number}."
                );
    }
}
