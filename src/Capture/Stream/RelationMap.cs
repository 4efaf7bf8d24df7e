using Cdc.Capture.Tables;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;

namespace Cdc.Capture.Stream;

/// <summary>
/// Which entities each relation of the stream feeds, and which entities stop because the stream does not bring their rows whole. The stream
/// alone never lets one go on: that a table is described as it should be does not say that all its rows come. The catalog does, and has it
/// read again.
/// </summary>
/// <param name="stopped">Entities that are stopped already.</param>
/// <param name="barrier">By entity the 64-bit transaction id below which every transaction has ended before the entity is read.</param>
internal sealed class RelationMap(EntitySet entities, IEnumerable<int> stopped, Func<int, ulong> barrier)
{
    private readonly Dictionary<(string Schema, string Table), EntityDeclaration[]> _declared = entities
        .All.GroupBy(e => (e.SourceSchema, e.SourceTable))
        .ToDictionary(g => g.Key, g => g.ToArray());
    private readonly Dictionary<uint, MappedTable> _relations = [];
    private readonly Dictionary<int, uint> _relationOfEntity = [];
    private readonly HashSet<int> _stopped = [.. stopped];
    private readonly ulong[] _barriers = [.. entities.All.Select(e => barrier(e.Index))];

    /// <exception cref="InvalidDataException">The stream never described this relation.</exception>
    public MappedTable this[uint oid] =>
        _relations.TryGetValue(oid, out var table)
            ? table
            : throw new InvalidDataException($"The stream has a row of relation {oid}, which it never described.");

    /// <summary>Takes a relation message; returns the entities that stop because it is called something else now.</summary>
    public IReadOnlyList<TableStop> Learn(RelationMessage message, ulong xid)
    {
        List<TableStop> stops = [.. RenamedAway(message, xid)];
        var mappings = _declared
            .GetValueOrDefault((message.Schema, message.Table), [])
            .Select(entity => (Entity: entity.Index, Mapping: SchemaMapping.Of(entity, message)))
            .ToList();
        foreach (var (entity, _) in mappings)
            Feed(entity, message.Oid);
        var readable = mappings.Where(m => m.Mapping.Schema is not null).ToList();
        _relations[message.Oid] = new MappedTable(
            message.Name,
            readable.Count > 0 ? readable[0].Mapping.Key : KeyPlaces.None,
            [.. readable.Select(m => m.Mapping.Schema!)],
            [.. mappings.Where(m => m.Mapping.Schema is null).Select(m => new UnreadEntity(m.Entity, m.Mapping.Obstacles))]
        );
        return stops;
    }

    /// <summary>A row of the relation has come: the entities that cannot take it, and are not stopped yet.</summary>
    public IReadOnlyList<TableStop> StopUnread(MappedTable table, ulong xid)
    {
        List<TableStop> stops = [];
        foreach (var unread in table.Unread)
            stops.AddRange(Stop(unread.Entity, unread.Obstacles, xid));
        return stops;
    }

    /// <summary>A row came without its key: no entity can take rows of this relation as it is.</summary>
    public MappedTable LoseKey(uint oid) =>
        _relations[oid] = _relations[oid].AllUnread(entity => [Obstacles.RowWithoutKey(entities[entity])]);

    public bool IsStopped(int entity) => _stopped.Contains(entity);

    /// <summary>The catalog says that the entity cannot be followed.</summary>
    public void Stop(int entity) => _stopped.Add(entity);

    /// <summary>
    /// The catalog says that the entity can be followed, in this relation. Transactions below the barrier end before it is read again: how
    /// they were described does not matter any more.
    /// </summary>
    public void GoOn(int entity, uint relation, ulong barrierXid)
    {
        _stopped.Remove(entity);
        _barriers[entity] = barrierXid;
        Feed(entity, relation);
    }

    private IEnumerable<TableStop> Stop(int entity, IReadOnlyList<Finding> obstacles, ulong xid) =>
        xid >= _barriers[entity] && _stopped.Add(entity) ? [new TableStop(entity, Obstacles.Reason(obstacles))] : [];

    private List<TableStop> RenamedAway(RelationMessage message, ulong xid)
    {
        List<TableStop> stops = [];
        foreach (var entity in _relationOfEntity.Where(r => r.Value == message.Oid).Select(r => entities[r.Key]).ToList())
        {
            if (entity.SourceSchema == message.Schema && entity.SourceTable == message.Table)
                continue;
            _relationOfEntity.Remove(entity.Index);
            stops.AddRange(Stop(entity.Index, [Obstacles.Renamed(entity, message.Name)], xid));
        }
        return stops;
    }

    /// <summary>
    /// The newest relation of that name feeds the entity; one that had the name before (dropped, or renamed without a row since) no longer
    /// does.
    /// </summary>
    private void Feed(int entity, uint relation)
    {
        if (_relationOfEntity.TryGetValue(entity, out var before) && before != relation && _relations.TryGetValue(before, out var table))
            _relations[before] = table.Without(entity);
        _relationOfEntity[entity] = relation;
    }
}

/// <summary>An entity stops here.</summary>
internal readonly record struct TableStop(int Entity, string Reason);
