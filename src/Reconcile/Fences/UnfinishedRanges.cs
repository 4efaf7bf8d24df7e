using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Npgsql;

namespace Cdc.Reconcile.Fences;

/// <summary>
/// What the pipeline has still to read of an entity in this generation, as the engine's snapshot shows it: an initial load, the load after a
/// gap, or a table that is read again because it changed unseen. A range that somebody asked to be read again ('cdc snapshot', a repair) is
/// whole all the while, and not among them.
/// </summary>
public static class UnfinishedRanges
{
    /// <summary>$1 entity. A range is finished in the same engine transaction that removes what is gone from it.</summary>
    private const string ReadSql = """
        SELECT c.from_key, c.to_key FROM cdc.chunks c JOIN cdc.tables t ON t.entity = c.entity
        WHERE c.entity = $1 AND c.state = 'pending' AND c.keys IS NULL AND (c.kind = 'load' OR t.state = 'loading') ORDER BY c.from_key NULLS FIRST
        """;

    /// <param name="engine">That of <see cref="FencedSnapshots.Engine"/>: read later, a range may have finished after the fence.</param>
    public static async Task<IReadOnlyList<KeyRange>> ReadAsync(NpgsqlConnection engine, EntityDeclaration entity, CancellationToken ct)
    {
        var ranges = new List<KeyRange>();
        await using var command = new NpgsqlCommand(ReadSql, engine) { Parameters = { new() { Value = entity.Name } } };
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            ranges.Add(new KeyRange(Bound(reader, 0), Bound(reader, 1)));
        return ranges;
    }

    private static long? Bound(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);
}
