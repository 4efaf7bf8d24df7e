using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Cdc.Core.Snapshots;
using Cdc.Engine.Rows;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Snapshots;

/// <summary>
/// Ends chunks whose rows are in the engine: holds what they did not see, and records that the range is done, in one engine transaction. The
/// transaction of the last one of its table deletes what is held, unless it is more than <see cref="DeleteLimit"/> allows: then a person is asked.
/// </summary>
/// <param name="owes">Over Kafka: what is deleted is written down for the topics (<see cref="OwedTable"/>).</param>
public sealed class ChunkFinisher(EntitySet entities, DeleteLimit limit, IChunkOwner owner, bool owes)
{
    private readonly HeldDeletesSql[] _sql = [.. entities.All.Select(e => new HeldDeletesSql(e, owes))];

    /// <summary>Where the engine owns rows.</summary>
    private readonly HeldDeletesSql[] _owned = [.. entities.All.Select(e => new HeldDeletesSql(e, owes, OwnerSql.Of(e, entities)))];

    /// <returns>How many rows were deleted.</returns>
    public Task<long> FinishAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct) =>
        ConflictRetry.RunAsync(() => FinishOnceAsync(connection, chunk, ct), ct);

    private async Task<long> FinishOnceAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct)
    {
        var entity = entities[chunk.Job.Entity];
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var all = await OwnedTable.EnterAsync(connection, entities, ct) ? _owned : _sql;
        // Before anything is deleted: that would be owed anew.
        await PayAsync(connection, entity, chunk, ct);
        var held = chunk.DroppedAll ? 0 : await HoldAsync(connection, chunk, ct);
        var swept = await EndAsync(connection, entity, chunk, held, all[entity.Index], ct);
        CrashPoint.Hit("after-sweep");
        await owner.AssertOwnedAsync(connection, chunk, ct);
        await transaction.CommitAsync(ct);
        return swept;
    }

    /// <summary>
    /// The ends of the keys are in the topic, or their own events are. Where a truncate was in flight they are read again: it ends only keys
    /// that the engine knew.
    /// </summary>
    private async Task PayAsync(NpgsqlConnection connection, EntityDeclaration entity, Chunk chunk, CancellationToken ct)
    {
        if (chunk.Job.Kind != ChunkKind.Owed || chunk.DroppedAll)
            return;
        // They share the topic.
        string[] readers = [.. entities.All.Where(e => e.SourceName == entity.SourceName).Select(e => e.Name)];
        await OwedTable.PayAsync(connection, readers, [.. chunk.Job.Keys!], ct);
        CrashPoint.Hit("after-owed-ends");
    }

    /// <returns>How many keys the chunk did not see.</returns>
    private async Task<long> HoldAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct)
    {
        var job = chunk.Job;
        return await connection
            .Statement(
                _sql[job.Entity].Hold(job.Keys is not null, rows: !chunk.LoadedIntoEmptyRange),
                ChunkTable.Key(job.Range.From),
                ChunkTable.Key(job.Range.To),
                ChunkTable.Keys(job.Keys),
                ChunkTable.Keys(chunk.Dropped),
                chunk.First.Generation,
                chunk.First.CommitLsn,
                chunk.First.Ordinal,
                job.Id
            )
            .ExecuteAsync(ct);
    }

    /// <summary>Keys that are read again by themselves are no chunks of a table: they are recorded nowhere.</summary>
    private async Task<long> EndAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        Chunk chunk,
        long held,
        HeldDeletesSql sql,
        CancellationToken ct
    )
    {
        if (chunk.Job.Id > 0)
            await ChunkTable.SetReadAsync(connection, entity.Name, chunk, held, ct);
        else if (held == 0 && !await HeldTable.AnyAsync(connection, entity.Name, ct))
            return 0;
        else
            await connection.Statement(TablesTable.LockSql, entity.Name).ExecuteAsync(ct);
        return await IsAllReadAsync(connection, entity, chunk, ct) ? await SettleAsync(connection, entity, sql, ct) : 0;
    }

    private static async Task<bool> IsAllReadAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        Chunk chunk,
        CancellationToken ct
    ) =>
        await HeldTable.IsReadAsync(connection, entity.Name, ct)
        && (chunk.Job.Id > 0 || !await RereadTable.AnyLeftAsync(connection, entity.Name, ct));

    private async Task<long> SettleAsync(NpgsqlConnection connection, EntityDeclaration entity, HeldDeletesSql sql, CancellationToken ct)
    {
        var deleted = 0L;
        if (await HeldTable.AnyAsync(connection, entity.Name, ct))
        {
            var held = (await connection.Statement(sql.Count).RowsAsync(r => (Keys: r.GetInt64(0), Allowed: r.GetInt64(1)), ct)).Single();
            if (await AskedAsync(connection, entity, held.Keys, held.Allowed, ct))
                return 0;
            deleted = held.Keys == 0 ? 0 : await DeleteAsync(connection, entity, sql, ct);
        }
        if (entity.HashedKey is not null)
            await SourceKeyTable.SettleAsync(connection, entity, ct);
        await HeldTable.SettleAsync(connection, entity.Name, ct);
        return deleted;
    }

    /// <param name="allowed">Of the keys, those of ranges for which a person has allowed it.</param>
    /// <returns>True: a person must decide.</returns>
    private async Task<bool> AskedAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        long keys,
        long allowed,
        CancellationToken ct
    )
    {
        var undecided = allowed <= await HeldTable.AllowedAsync(connection, entity.Name, ct) ? keys - allowed : keys;
        if (undecided == 0)
            return false;
        var earlier = await HeldTable.SweptLatelyAsync(connection, entity.Name, ct);
        // The table is counted only where it matters.
        if (!limit.AreMany(undecided + earlier))
            return false;
        var rows = await connection.Statement(_sql[entity.Index].RowCount).ScalarAsync<long>(ct);
        if (!limit.IsExceeded(undecided + earlier, rows + earlier))
            return false;
        await HeldTable.HoldAsync(connection, entity.Name, limit.Reason(entity.Name, keys, rows, earlier), keys, rows, ct);
        return true;
    }

    private static async Task<long> DeleteAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        HeldDeletesSql sql,
        CancellationToken ct
    )
    {
        foreach (var kept in sql.KeepRows)
            await connection.Statement(kept).ExecuteAsync(ct);
        await HeldTable.RecordAsync(connection, entity.Name, ct);
        var deleted = await connection.Statement(sql.DeleteRows).ScalarAsync<long>(ct);
        foreach (var entries in sql.DeleteEntries)
            await connection.Statement(entries).ExecuteAsync(ct);
        // Entries that close without a row make an answer about that row another one too.
        if (entity.NotifyColumn is not null)
            await CheckpointTable.AnnounceAsync(connection, [(ChangeNotice.Channel(entity.Name), ChangeNotice.Everything)], ct);
        return deleted;
    }
}
