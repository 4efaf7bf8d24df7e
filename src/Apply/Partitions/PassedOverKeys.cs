using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Apply.Partitions;

/// <summary>
/// Keys whose records are passed over, because a newer generation has begun: readers of the topics have their rows. If Odoo deleted one in
/// the gap, no event says so, and the engine, which never had it, cannot miss it.
/// </summary>
internal sealed class PassedOverKeys(EntitySet entities)
{
    private readonly Dictionary<int, HashSet<long>> _keys = [];

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
            await OwedTable.OweUnknownAsync(connection, entities[entity], keys, ct);
        _keys.Clear();
    }

    private void Note(RowChange row)
    {
        if (!_keys.TryGetValue(row.Schema.Entity, out var keys))
            _keys[row.Schema.Entity] = keys = [];
        // A delete is the end that readers of the topic need.
        if (row.Kind == RowChangeKind.Delete)
            keys.Remove(row.Key);
        else
            keys.Add(row.Key);
    }
}
