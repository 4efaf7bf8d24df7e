namespace Cdc.Core.Entities;

/// <summary>Two keys of a table have one number (<see cref="KeyHash"/>): the engine cannot tell their rows apart, and the table stops.</summary>
public sealed class KeyCollisionException(EntityDeclaration entity, long number) : Exception(Said(entity, number))
{
    /// <summary>Index in the declaration.</summary>
    public int Entity { get; } = entity.Index;

    /// <summary>Keys are values of the table: they are named by what finds them.</summary>
    private static string Said(EntityDeclaration entity, long number) =>
        $"Two keys of {entity.SourceName} have the hash {KeyHash.Shown(number)}: their rows cannot be told apart. Find them in Odoo: SELECT "
        + $"{entity.SourceKey.Shown} FROM {entity.SourceRows} WHERE {entity.SourceKey.Is($"{number}")}; change or delete one, then restart cdc: "
        + "the table is read again.";
}
