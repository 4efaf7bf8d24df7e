using Cdc.Core.Changes;
using Cdc.Core.Entities;

namespace Cdc.Capture.Stream;

/// <summary>An entity stops (with a reason) or goes on (without one).</summary>
internal readonly record struct EntityState(int Entity, string? StopReason);

/// <summary>Which entities each relation of the stream feeds, and which entities are stopped because their table cannot be read.</summary>
internal sealed class RelationMap
{
    private readonly Dictionary<(string Schema, string Table), EntityDeclaration[]> _declared;
    private readonly Dictionary<uint, (RelationMessage Message, MappedTable Table)> _relations = [];
    private readonly Dictionary<int, uint> _relationOfEntity = [];
    private readonly HashSet<int> _stopped;
    private readonly EntitySet _entities;

    public RelationMap(EntitySet entities, IEnumerable<int> stopped)
    {
        _entities = entities;
        _declared = entities.All.GroupBy(e => (e.SourceSchema, e.SourceTable)).ToDictionary(g => g.Key, g => g.ToArray());
        _stopped = [.. stopped];
    }

    /// <exception cref="InvalidDataException">The stream never described this relation.</exception>
    public MappedTable this[uint oid] =>
        _relations.TryGetValue(oid, out var relation)
            ? relation.Table
            : throw new InvalidDataException($"The stream has a row of relation {oid}, which it never described.");

    /// <summary>
    /// Takes a relation message; returns the entities whose state it changes. A repeated description counts too: a table may
    /// have been repaired and broken again in between, without a row that would have shown it.
    /// </summary>
    public IReadOnlyList<EntityState> Learn(RelationMessage message)
    {
        List<EntityState> changes = [.. RenamedAway(message)];
        var mappings = EntitiesOf(message).Select(entity => (entity, SchemaMapping.Of(entity, message))).ToList();
        foreach (var (entity, mapping) in mappings)
        {
            Release(entity.Index, message.Oid);
            if (Change(entity.Index, mapping.StopReason) is { } change)
                changes.Add(change);
        }
        var readable = mappings.Where(m => m.Item2.Schema is not null).Select(m => m.Item2).ToList();
        var table = new MappedTable(message.Name, readable.FirstOrDefault()?.KeyColumn ?? -1, [.. readable.Select(m => m.Schema!)]);
        _relations[message.Oid] = (message, table);
        return changes;
    }

    /// <summary>The entity is not stopped any more: the next relation message that cannot be read stops it anew.</summary>
    public void GoOn(int entity, uint relation)
    {
        _stopped.Remove(entity);
        Release(entity, relation);
    }

    private EntityDeclaration[] EntitiesOf(RelationMessage message) => _declared.GetValueOrDefault((message.Schema, message.Table), []);

    private EntityState? Change(int entity, string? stopReason)
    {
        var changed = stopReason is null ? _stopped.Remove(entity) : _stopped.Add(entity);
        return changed ? new EntityState(entity, stopReason) : null;
    }

    private List<EntityState> RenamedAway(RelationMessage message)
    {
        List<EntityState> changes = [];
        foreach (var entity in _relationOfEntity.Where(r => r.Value == message.Oid).Select(r => _entities[r.Key]).ToList())
        {
            if (entity.SourceSchema == message.Schema && entity.SourceTable == message.Table)
                continue;
            _relationOfEntity.Remove(entity.Index);
            if (Change(entity.Index, SchemaMapping.Renamed(entity, message.Name)) is { } change)
                changes.Add(change);
        }
        return changes;
    }

    /// <summary>
    /// The newest relation of that name feeds the entity; one that had the name before (dropped, or renamed without a row since) no longer
    /// does.
    /// </summary>
    private void Release(int entity, uint newOwner)
    {
        if (_relationOfEntity.TryGetValue(entity, out var before) && before != newOwner && _relations.TryGetValue(before, out var relation))
        {
            var (message, table) = relation;
            TableSchema[] others = [.. table.Schemas.ToArray().Where(s => s.Entity != entity)];
            _relations[before] = (message, new MappedTable(table.Name, table.KeyColumn, others));
        }
        _relationOfEntity[entity] = newOwner;
    }
}
