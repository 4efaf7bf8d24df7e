namespace Cdc.Core.Entities;

/// <summary>A table whose keys are known by a hash (<see cref="KeyHash"/>) cannot be followed exactly: it stops.</summary>
public sealed class HashedKeyException : Exception
{
    private HashedKeyException(EntityDeclaration entity, string message)
        : base(message) => Entity = entity.Index;

    /// <summary>Index in the declaration.</summary>
    public int Entity { get; }

    /// <summary>Two keys have one number. They are values of the table: they are named by what finds them.</summary>
    public static HashedKeyException Collision(EntityDeclaration entity, long number) =>
        new(
            entity,
            $"Two keys of {entity.SourceName} have the hash {KeyHash.Shown(number)}: their rows cannot be told apart. Find them in Odoo: SELECT "
                + $"{entity.SourceKey.Shown} FROM {entity.SourceRows} WHERE {entity.SourceKey.Is($"'{number}'::bigint")}; change or delete one, "
                + "then restart cdc: the table is read again."
        );

    /// <summary>The text of a key has no one form in UTF-8.</summary>
    public static HashedKeyException WithoutEncoding(EntityDeclaration entity) =>
        new(
            entity,
            $"The source's database has no encoding (SQL_ASCII): a text in the key of {entity.SourceName} need not be UTF-8, of which its hash is "
                + $"made. Restore a dump into a database in UTF-8, or take '{entity.Name}' out of the declaration."
        );
}
