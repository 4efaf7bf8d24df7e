namespace Cdc.Core.Entities;

/// <summary>All declared entities, in declaration order.</summary>
public sealed class EntitySet(IReadOnlyList<EntityDeclaration> entities)
{
    public IReadOnlyList<EntityDeclaration> All { get; } = entities;

    public EntityDeclaration this[int index] => All[index];

    public int Count => All.Count;

    /// <summary>By entity name, or by the source or engine table's name; null if there is none.</summary>
    public EntityDeclaration? Find(string name) =>
        All.FirstOrDefault(e => e.Name == name)
        ?? All.FirstOrDefault(e => e.SourceTable == name || $"{e.SourceSchema}.{e.SourceTable}" == name)
        ?? All.FirstOrDefault(e => e.EngineTable == name || $"{e.EngineSchema}.{e.EngineTable}" == name);
}
