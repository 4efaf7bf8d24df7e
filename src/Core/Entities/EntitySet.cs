namespace Cdc.Core.Entities;

/// <summary>All declared entities, in declaration order.</summary>
public sealed class EntitySet(IReadOnlyList<EntityDeclaration> entities)
{
    public IReadOnlyList<EntityDeclaration> All { get; } = entities;

    public EntityDeclaration this[int index] => All[index];

    public int Count => All.Count;

    /// <summary>The preset that the declaration is or includes, such as <c>odoo-18</c>; null: it is all the operator's own.</summary>
    public string? Preset { get; init; }

    /// <summary>Presets that it is or includes, such as <c>contacts</c>, whose engine tables are made by migrations of their own.</summary>
    public IReadOnlyList<string> Parts { get; init; } = [];

    /// <summary>The entity of which answers are made as this; null: none is declared.</summary>
    public EntityDeclaration? Serving(string role) => All.FirstOrDefault(e => e.Serves?.Role == role);

    /// <summary>The cards, each with an owner; null: nothing flows back to Odoo.</summary>
    public EntityDeclaration? Cards => All.FirstOrDefault(e => e.Reverse is { IsCard: true });

    /// <summary>By entity name, or by the source or engine table's name; null if there is none.</summary>
    public EntityDeclaration? Find(string name) =>
        All.FirstOrDefault(e => e.Name == name)
        ?? All.FirstOrDefault(e => e.SourceTable == name || $"{e.SourceSchema}.{e.SourceTable}" == name)
        ?? All.FirstOrDefault(e => e.EngineTable == name || $"{e.EngineSchema}.{e.EngineTable}" == name);
}
