using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Npgsql;

namespace Cdc.Engine.Snapshots;

/// <summary>
/// What the pipeline has still to read of an entity in this generation, as the engine's snapshot shows it: an initial load, the load after
/// a gap, or a table that is read again because it changed unseen. A range whose deletes are held is not finished
/// either. One that was requested ('cdc snapshot', a repair) is whole all the while, and not among them.
/// </summary>
public static class UnfinishedRanges
{
    /// <summary>$1 entity. A range is finished in the same engine transaction that removes what is gone from it.</summary>
    private const string ReadSql = """
        SELECT c.from_key, c.to_key FROM cdc.chunks c JOIN cdc.tables t ON t.entity = c.entity
        WHERE c.entity = $1 AND c.state IN ('pending', 'held') AND c.keys IS NULL AND (c.kind = 'load' OR t.state IN ('loading', 'held')) ORDER BY c.from_key NULLS FIRST
        """;

    // Not known yet, or its ranges are not cut yet: nothing of it is loaded.
    private const string NothingLoadedSql = "SELECT NOT EXISTS (SELECT FROM cdc.tables WHERE entity = $1 AND state <> 'loading')";

    /// <param name="engine">In the snapshot of a fence: read later, a range may have finished after the fence.</param>
    public static async Task<IReadOnlyList<KeyRange>> ReadAsync(NpgsqlConnection engine, EntityDeclaration entity, CancellationToken ct) =>
        await engine.Statement(ReadSql, entity.Name).RowsAsync(row => new KeyRange(row.Long(0), row.Long(1)), ct);

    /// <summary>As <see cref="ReadAsync"/>, or all keys while nothing of the entity is loaded and no range is cut yet.</summary>
    public static async Task<IReadOnlyList<KeyRange>> ReadOrAllAsync(
        NpgsqlConnection engine,
        EntityDeclaration entity,
        CancellationToken ct
    )
    {
        var ranges = await ReadAsync(engine, entity, ct);
        if (ranges.Count > 0)
            return ranges;
        return await engine.Statement(NothingLoadedSql, entity.Name).ScalarAsync<bool>(ct) ? [KeyRange.All] : [];
    }
}
