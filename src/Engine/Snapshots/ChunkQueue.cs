using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Snapshots;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Snapshots;

/// <summary>
/// What is still to be read: ranges, keys with holes, rows of the quarantine to try again, and what other processes request. On a
/// separate connection.
/// </summary>
/// <param name="owes">Over Kafka: also keys whose end the topics are owed.</param>
public sealed class ChunkQueue(EntitySet entities, EngineOptions options, TableRegistry tables, int generation, bool owes)
    : IChunkQueue,
        IAsyncDisposable
{
    private const int KeysOfOneJob = 1_000;

    private readonly SharedConnection _connection = new(options, EngineRole.Chunks);
    private readonly string[] _all = [.. entities.All.Select(e => e.Name)];

    public ulong BarrierXid(int entity) => tables.Barrier(entity);

    public Task WaitAsync(TimeSpan atMost, CancellationToken ct) => Task.Delay(atMost, ct);

    public Task<ChunkJob?> NextAsync(IReadOnlyCollection<ChunkJob> busy, IReadOnlyCollection<int> waiting, CancellationToken ct) =>
        _connection.UseAsync(c => FindAsync(c, busy, [.. waiting.Select(e => entities[e].Name)], ct), ct);

    public async Task<ChunkJob> SplitAsync(ChunkJob job, long at, CancellationToken ct)
    {
        // The others are kept as their own entries.
        if (job.Id > 0)
        {
            await _connection.UseAsync(c => ChunkTable.SplitAsync(c, job, at, ct), ct);
            CrashPoint.Hit("after-split");
        }
        return job.Keys is { } keys
            ? job with
            {
                Keys = keys.Where(k => k < at).ToHashSet(),
            }
            : job with
            {
                Range = job.Range with { To = at },
            };
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task<ChunkJob?> FindAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<ChunkJob> busy,
        string[] waiting,
        CancellationToken ct
    )
    {
        if (await ChunkTable.AcceptRequestsAsync(connection, generation, KeysOfOneJob, ct) > 0)
            CrashPoint.Hit("after-request-accepted");
        return await NextRangeAsync(connection, busy, waiting, ct)
            ?? await NextKeysAsync(connection, busy, waiting, ct)
            ?? (owes ? await NextOwedAsync(connection, busy, waiting, ct) : null);
    }

    private async Task<ChunkJob?> NextRangeAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<ChunkJob> busy,
        string[] waiting,
        CancellationToken ct
    )
    {
        (long[], string[]) taken = ([.. busy.Select(j => j.Id)], [.. busy.Select(j => entities[j.Entity].Name)]);
        return
            await ChunkTable.NextAsync(connection, generation, taken, _all, waiting, ct) is { } next
            && entities.Find(next.Entity) is { } entity
            ? new ChunkJob(next.Id, generation, entity.Index, next.Kind, next.Range, next.Keys?.ToHashSet())
            : null;
    }

    private async Task<ChunkJob?> NextKeysAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<ChunkJob> busy,
        string[] waiting,
        CancellationToken ct
    )
    {
        foreach (var ((kind, name), keys) in await RereadTable.NextAsync(connection, KeysOfOneJob, waiting, ct))
        {
            if (entities.Find(name) is not { } entity)
                continue;
            var free = keys.Where(key => !busy.Any(j => j.Entity == entity.Index && j.Keys is not null && j.Covers(key))).ToHashSet();
            if (free.Count > 0)
                return new ChunkJob(0, generation, entity.Index, kind, KeyRange.All, free);
        }
        return null;
    }

    private async Task<ChunkJob?> NextOwedAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<ChunkJob> busy,
        string[] waiting,
        CancellationToken ct
    )
    {
        var read =
            from job in busy
            where job.Kind == ChunkKind.Owed
            from reader in entities.All
            // They share the topic: a key ends there once.
            where reader.SourceName == entities[job.Entity].SourceName
            from key in job.Keys!
            select (reader.Name, key);
        (string, long)[] taken = [.. read];
        string[] readable = [.. _all.Except(waiting)];
        while (await OwedTable.NextAsync(connection, KeysOfOneJob, readable, taken, ct) is { } next)
        {
            var entity = entities.Find(next.Entity)!;
            next.Keys.ExceptWith(await OwedTable.ForgetKnownAsync(connection, entity, next.Keys, ct));
            if (next.Keys.Count == 0)
                continue;
            var owed = new ChunkJob(0, generation, entity.Index, ChunkKind.Owed, KeyRange.All, next.Keys);
            if (entity.HashedKey is null)
                return owed;
            var spelled = await SourceKeyTable.SpelledAsync(connection, [entity.Name], [.. next.Keys], ct);
            // Whatever came out of the topics has a text: a row that somebody put into the engine by hand was never in them.
            await OwedTable.PayAsync(connection, [entity.Name], [.. next.Keys.Except(spelled.Keys)], ct);
            next.Keys.IntersectWith(spelled.Keys);
            if (next.Keys.Count > 0)
                return owed with { SpelledKeys = spelled };
        }
        return null;
    }
}
