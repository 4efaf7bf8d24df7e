using Cdc.Capture.Stream;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;

namespace Cdc.Capture.Tables;

/// <summary>
/// The one judge of whether a table can be followed exactly, by what the catalog says of it now and by how the stream described it when its
/// rows were written. It is asked by <c>cdc check</c>, at each start, while running, and by each chunk before it reads
/// (docs/reliability.md has its rules).
/// </summary>
internal static class TableJudge
{
    /// <summary>By the catalog: everything in the way, worst first; empty where it is followed.</summary>
    public static IReadOnlyList<Finding> Judge(EntityDeclaration entity, CatalogTable? table, CatalogPublication publication)
    {
        var own = Judge(entity, table, publication.WithGenerated);
        return table is null || (own.Count > 0 && !MayBePublished(entity, table))
            ? own
            : [.. own, .. OfPublication(entity, table, publication)];
    }

    /// <summary>The same but for what a publication, which may not exist yet, has to do with it.</summary>
    public static IReadOnlyList<Finding> Judge(EntityDeclaration entity, CatalogTable? table, bool withGenerated)
    {
        if (table is null)
            return [Obstacles.Missing(entity)];
        if (table.Kind != 'r')
            return [Obstacles.Kind(entity, table.Kind)];
        return
        [
            .. table.Persistence == 'p' ? [] : new[] { Obstacles.Unlogged(entity) },
            .. OfRights(entity, table.Rights),
            .. OfKey(entity, table),
            .. table.Membership is null ? Harm(entity, table) : [],
            .. entity.SourceColumns.Select(c => OfColumn(entity, c, table.Column(c.Name), withGenerated)).OfType<Finding>(),
        ];
    }

    /// <summary>By the stream: as it describes the table before the first row after each change of its definition.</summary>
    public static IReadOnlyList<Finding> Judge(EntityDeclaration entity, RelationMessage relation) =>
        [.. entity.SourceColumns.Select(c => OfStreamed(entity, c, relation)).OfType<Finding>()];

    /// <summary>
    /// A publication brings it, and does no harm by it: one on a table without replica identity, or with columns in it that do not come,
    /// makes Odoo's own updates and deletes fail.
    /// </summary>
    public static bool MayBePublished(EntityDeclaration entity, CatalogTable? table) =>
        table is { Kind: 'r', Persistence: 'p', UnsentIdentity: [] } && table.IdentityHas(entity.SourceKey);

    /// <summary>
    /// Generated columns in the replica identity. A table that is published all the same is followed: what can be written there comes.
    /// </summary>
    public static IEnumerable<Finding> Harm(EntityDeclaration entity, CatalogTable? table)
    {
        if (table is { Kind: 'r', UnsentIdentity: [_, ..] columns })
            yield return Obstacles.GeneratedIdentity(
                entity,
                columns,
                table.Membership is not null,
                table.DefaultIdentityHas(entity.SourceKey) && table.PrimaryKey?.Columns.Intersect(columns).Any() != true
            );
    }

    /// <summary>Declared tables that the publication should bring, and does not.</summary>
    public static IReadOnlyList<EntityDeclaration> Unpublished(SourceCatalog catalog) =>
        catalog.Publication is { AllTables: true }
            ? []
            : [.. catalog.Tables.Where(t => t.Table is { Membership: null } && MayBePublished(t.Entity, t.Table)).Select(t => t.Entity)];

    /// <summary>What a table that is followed leaves out, because that is not its own.</summary>
    public static IEnumerable<Finding> Warnings(EntityDeclaration entity, CatalogTable? table)
    {
        if (table is { Kind: 'r', Children.Count: > 0 })
            yield return new Finding(
                "table-children",
                IsError: false,
                $"{string.Join(", ", table.Children)} inherit from {entity.SourceName}: a SELECT in Odoo shows their rows too, but they are "
                    + "tables of their own, and are not followed.",
                $"Nothing, if the engine is to have the rows of {entity.SourceName} alone; else declare each of them as an entity."
            );
    }

    private static IEnumerable<Finding> OfRights(EntityDeclaration entity, TableRights rights)
    {
        if (!rights.MayUseSchema)
            yield return Obstacles.Usage(entity, rights.Role);
        if (!rights.MaySelect)
            yield return Obstacles.Select(entity, rights.Role);
        if (rights.HidesRows)
            yield return Obstacles.Hidden(entity, rights.Role);
    }

    private static IEnumerable<Finding> OfKey(EntityDeclaration entity, CatalogTable table)
    {
        var key = entity.SourceKey;
        if (!table.IsUniqueBy(key))
            yield return Obstacles.Key(entity, table.PrimaryKey?.Columns ?? [], ProposedKey(table));
        if (!table.IdentityHas(key))
            yield return Obstacles.Identity(entity, IdentityProblem(table, key), table.DefaultIdentityHas(key));
    }

    /// <summary>The primary key as it can be declared, in JSON; null: it cannot.</summary>
    private static string? ProposedKey(CatalogTable table) =>
        KeyProposal.Of([.. (table.PrimaryKey?.Columns ?? []).Select(c => (c, table.Column(c)?.TypeOid ?? 0))]);

    private static string IdentityProblem(CatalogTable table, SourceKey key) =>
        table.Identity switch
        {
            'n' => "nothing; a publication on it makes Odoo's own updates and deletes fail",
            'd' when table.PrimaryKey is null =>
                "the primary key, which it lacks; a publication on it makes Odoo's own updates and deletes fail",
            'd' when !table.PrimaryKey.IsImmediate =>
                "the primary key, which is DEFERRABLE and does not count; a publication on it makes Odoo's own updates and deletes fail",
            'd' => $"the primary key, which is without {key.Shown}; deletes would not say which row",
            'i' when table.IdentityIndex is null => "an index that is gone; a publication on it makes Odoo's own updates and deletes fail",
            _ => $"an index without {key.Shown}; deletes would not say which row",
        };

    private static Finding? OfColumn(EntityDeclaration entity, SourceColumn declared, CatalogColumn? column, bool withGenerated) =>
        column switch
        {
            null => Obstacles.Column(entity, declared),
            { Generated: { } how } when !(withGenerated && how == 's') => Obstacles.Generated(entity, declared),
            _ when !SourceTypes.CanRead(declared.Type, column.TypeOid) => Obstacles.Type(entity, declared, column.TypeName, column.TypeOid),
            { TypeOid: TypeOids.Int8 } when IsOfPair(entity, declared) => Obstacles.WideKey(entity, declared),
            _ => null,
        };

    private static IEnumerable<Finding> OfPublication(EntityDeclaration entity, CatalogTable table, CatalogPublication publication)
    {
        if (table.Membership is not { } member)
        {
            yield return Obstacles.Unpublished(entity, publication, WhyUnpublished(table, publication));
            yield break;
        }
        foreach (var obstacle in OfMembership(entity, table, member, publication.Name))
            yield return obstacle;
    }

    /// <summary>What a publication that has the table leaves out of it.</summary>
    public static IEnumerable<Finding> OfMembership(EntityDeclaration entity, CatalogTable table, Membership member, string publication)
    {
        if (member.As is { } root)
        {
            yield return Obstacles.ViaRoot(entity, publication, root);
            yield break;
        }
        if (member.HasFilter)
            yield return Obstacles.Filter(entity, publication);
        // A generated column is never in a list that was not written down; the table's own judgement has it.
        var missing = entity
            .SourceColumns.Where(c => table.Column(c.Name) is { Generated: null } && !member.Brings(c.Name))
            .Select(c => c.Name)
            .ToList();
        if (missing.Count > 0)
            yield return Obstacles.ColumnList(entity, publication, missing);
    }

    private static string WhyUnpublished(CatalogTable table, CatalogPublication publication) =>
        publication.AllTables || (publication.IsOwner && table.Rights.IsOwner) ? "" : $", and role {table.Rights.Role} may not add it";

    private static bool IsOfPair(EntityDeclaration entity, SourceColumn column) =>
        entity.SecondKey is not null && entity.KeyColumns.Contains(column);

    private static Finding? OfStreamed(EntityDeclaration entity, SourceColumn declared, RelationMessage relation)
    {
        var sent = relation.Columns.FirstOrDefault(c => c.Name == declared.Name);
        if (sent is null)
            return Obstacles.ColumnNotStreamed(entity, declared);
        if (!SourceTypes.CanRead(declared.Type, sent.TypeOid))
            return Obstacles.Type(entity, declared, $"of the type with OID {sent.TypeOid}", sent.TypeOid);
        if (sent.TypeOid == TypeOids.Int8 && IsOfPair(entity, declared))
            return Obstacles.WideKey(entity, declared);
        return entity.KeyColumns.Contains(declared) && !sent.IsKey
            ? Obstacles.Identity(
                entity,
                $"it does not have the key {declared.Name}; deletes would not say which row",
                isDefaultEnough: true
            )
            : null;
    }
}
