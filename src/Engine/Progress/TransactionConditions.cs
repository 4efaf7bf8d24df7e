using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Progress;

/// <summary>
/// What every transaction over the Kafka log must know of the engine before it writes, as of after its records were read: what Capture
/// wrote down before it appended them is seen.
/// </summary>
/// <param name="Generation">Records of older ones are dropped.</param>
/// <param name="Floors">By entity, the position of the last truncate, this transaction's own included: everything older loses to
/// it.</param>
/// <param name="Fences">Vectors of the fences at which partitions stop.</param>
public sealed record TransactionConditions(
    int Generation,
    Dictionary<int, ChangePosition> Floors,
    IReadOnlyList<IReadOnlyDictionary<string, long>> Fences
)
{
    /// <param name="truncates">True: until the end of the transaction no other writes rows.</param>
    /// <exception cref="DeclaredGapException">A gap is declared.</exception>
    /// <exception cref="CdcException">Unavailable: a generation is being made.</exception>
    public static async Task<TransactionConditions> ReadAsync(
        NpgsqlConnection connection,
        EntitySet entities,
        bool truncates,
        CancellationToken ct
    )
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"SELECT pg_advisory_xact_lock{(truncates ? "" : "_shared")}({AdvisoryLocks.Truncates})"),
                new(SourceTable.CurrentSql),
                new(FloorTable.AllSql),
                new(FenceTable.VectorsSql),
            },
        };
        await batch.PrepareAsync(ct);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        var generation = await reader.ReadAsync(ct)
            ? SourceTable.GenerationOf(reader)
            : throw new FencedException("The engine's record of its source is gone.");
        await reader.NextResultAsync(ct);
        var floors = new Dictionary<int, ChangePosition>();
        while (await reader.ReadAsync(ct))
            if (entities.Find(reader.GetString(0)) is { } entity)
                floors[entity.Index] = new ChangePosition(reader.GetInt32(1), reader.Lsn(2), reader.GetInt64(3));
        await reader.NextResultAsync(ct);
        var fences = new List<IReadOnlyDictionary<string, long>>();
        while (await reader.ReadAsync(ct))
            fences.Add(LogVector.FromJson(reader.GetString(0)));
        return new TransactionConditions(generation, floors, fences);
    }

    /// <summary>Records at or above this offset wait for a fence; <see cref="long.MaxValue"/> if none is open.</summary>
    public long LimitOf(string partition)
    {
        var limit = long.MaxValue;
        foreach (var vector in Fences)
            if (vector.TryGetValue(partition, out var offset) && offset < limit)
                limit = offset;
        return limit;
    }
}
