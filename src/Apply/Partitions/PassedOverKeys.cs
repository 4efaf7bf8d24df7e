using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Engine.Snapshots;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Apply.Partitions;

/// <summary>
/// Keys whose records are passed over, because a newer generation has begun: readers of the topics have their rows. If Odoo deleted one in
/// the gap, no event says so, and the engine, which never had it, cannot miss it.
/// </summary>
internal sealed class PassedOverKeys(EntitySet entities)
{
    private readonly Dictionary<int, SortedDictionary<long, byte[]?>> _keys = [];

    /// <param name="more">The same change for further entities of the table.</param>
    public void Add(RowChange row, IReadOnlyList<ChangeEvent>? more)
    {
        Note(row);
        foreach (var other in more ?? [])
            Note((RowChange)other);
    }

    /// <summary>In the engine transaction that moves past them.</summary>
    public async Task OweAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        foreach (var (entity, keys) in _keys)
            if (await AreKnownAsync(connection, entities[entity], keys, ct))
                await OwedTable.OweUnknownAsync(connection, entities[entity], keys.Keys, ct);
        _keys.Clear();
    }

    /// <summary>Of a key that is known by a hash the topics are owed its text.</summary>
    /// <returns>False: another key has the same one, and the table stops.</returns>
    private static async Task<bool> AreKnownAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        SortedDictionary<long, byte[]?> keys,
        CancellationToken ct
    )
    {
        if (entity.HashedKey is null)
            return true;
        byte[][] spelled = [.. keys.Values.Select(k => k!)];
        if (await SourceKeyTable.RecordAsync(connection, entity.Name, [.. keys.Keys], spelled, ct) is not { } number)
            return true;
        await TableRegistry.StopAsync(connection, entity, HashedKeyException.Collision(entity, number).Message, ct);
        return false;
    }

    private void Note(RowChange row)
    {
        if (!_keys.TryGetValue(row.Schema.Entity, out var keys))
            _keys[row.Schema.Entity] = keys = [];
        // A delete is the end that readers of the topic need.
        if (row.Kind == RowChangeKind.Delete)
            keys.Remove(row.Key);
        else
            keys[row.Key] = row.SpelledKey;
    }
}
