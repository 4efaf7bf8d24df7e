using Cdc.Core.Changes;
using Cdc.Core.Failures;

namespace Cdc.Capture.Stream;

/// <summary>An entity of a relation that cannot take its rows as the stream describes them.</summary>
internal readonly record struct UnreadEntity(int Entity, IReadOnlyList<Finding> Obstacles);

/// <summary>A relation of the stream and the entities it feeds now; none for undeclared tables.</summary>
/// <param name="unread">Declared entities of it that cannot take its rows: the first row that comes stops them.</param>
internal sealed class MappedTable(string name, KeyPlaces key, TableSchema[] schemas, UnreadEntity[] unread)
{
    public string Name { get; } = name;
    public KeyPlaces Key { get; } = key;
    public ReadOnlySpan<TableSchema> Schemas => schemas;
    public ReadOnlySpan<UnreadEntity> Unread => unread;
    public bool IsMapped => schemas.Length > 0;

    /// <summary>Without an entity that another relation feeds from now on.</summary>
    public MappedTable Without(int entity) =>
        new(Name, Key, [.. schemas.Where(s => s.Entity != entity)], [.. unread.Where(u => u.Entity != entity)]);

    /// <summary>None of its entities can take its rows.</summary>
    public MappedTable AllUnread(Func<int, IReadOnlyList<Finding>> obstacles) =>
        new(Name, KeyPlaces.None, [], [.. unread, .. schemas.Select(s => new UnreadEntity(s.Entity, obstacles(s.Entity)))]);
}
