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
/// Ends chunks whose rows are in the engine: the sweep, and the record that the range is done, in one engine transaction.
/// </summary>
public sealed class ChunkFinisher(EntitySet entities, IChunkOwner owner)
{
    private readonly UpsertSql[] _sql = [.. entities.All.Select(e => new UpsertSql(e))];

    /// <returns>How many rows were deleted.</returns>
    public Task<long> FinishAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct) =>
        ConflictRetry.RunAsync(() => FinishOnceAsync(connection, chunk, ct), ct);

    private async Task<long> FinishOnceAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var swept = chunk.DroppedAll ? 0 : await SweepAsync(connection, chunk, ct);
        CrashPoint.Hit("after-sweep");
        if (chunk.Job.Id > 0)
            await ChunkTable.SetDoneAsync(connection, entities[chunk.Job.Entity].Name, chunk, swept, ct);
        await owner.AssertOwnedAsync(connection, chunk, ct);
        await transaction.CommitAsync(ct);
        return swept;
    }

    private async Task<long> SweepAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct)
    {
        var job = chunk.Job;
        await using var batch = new NpgsqlBatch(connection);
        var (rows, entries) = _sql[job.Entity].Sweep(job.Keys is not null);
        foreach (var statement in chunk.LoadedIntoEmptyRange ? entries : entries.Prepend(rows))
            batch.BatchCommands.Add(
                Statements.BatchStatement(
                    statement,
                    ChunkTable.Key(job.Range.From),
                    ChunkTable.Key(job.Range.To),
                    ChunkTable.Keys(job.Keys),
                    ChunkTable.Keys(chunk.Dropped),
                    chunk.First.Generation,
                    chunk.First.CommitLsn,
                    chunk.First.Ordinal
                )
            );
        // Entries that close without a row make an answer about that row another one too.
        if (await batch.ExecuteNonQueryAsync(ct) > 0 && entities[job.Entity] is { NotifyColumn: not null } entity)
            await CheckpointTable.AnnounceAsync(connection, [(ChangeNotice.Channel(entity.Name), ChangeNotice.Everything)], ct);
        return chunk.LoadedIntoEmptyRange ? 0 : (long)batch.BatchCommands[0].RecordsAffected;
    }
}
