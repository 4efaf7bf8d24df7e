using Cdc.Core.Entities;

namespace Cdc.Capture.Tables;

/// <param name="Number">attnum.</param>
/// <param name="HasMissing">It was added with a default that old rows do not hold (atthasmissing): no event carried their new
/// value.</param>
/// <param name="Generated">attgenerated: 's'(tored), 'v'(irtual); null for a plain column.</param>
internal sealed record CatalogColumn(
    string Name,
    int Number,
    uint TypeOid,
    string TypeName,
    int TypeModifier,
    bool HasMissing,
    char? Generated
);

/// <summary>How a publication brings a table.</summary>
/// <param name="Columns">Those that it brings; null before PostgreSQL 15, which brings all.</param>
/// <param name="As">Under which table's name; null: its own.</param>
internal sealed record Membership(bool HasFilter, IReadOnlyList<string>? Columns, string? As)
{
    public bool Brings(string column) => Columns is null || Columns.Contains(column);
}

/// <summary>What our role may do with a table.</summary>
/// <param name="HidesRows">Row security applies: a read would not see everything that the stream brings.</param>
internal sealed record TableRights(string Role, bool MayUseSchema, bool MaySelect, bool IsOwner, bool HidesRows);

/// <summary>An index by which a table's rows are told apart: its key columns.</summary>
/// <param name="IsImmediate">False: DEFERRABLE. PostgreSQL does not take such a one as replica identity.</param>
internal sealed record KeyIndex(IReadOnlyList<string> Columns, bool IsImmediate)
{
    public bool Has(SourceKey key) => key.Columns.All(Columns.Contains);

    /// <summary>It has these columns and no other, in whatever order.</summary>
    public bool Is(SourceKey key) => Columns.Count == key.Columns.Count && Has(key);
}

/// <summary>A declared table as the source's catalog has it now, with all that decides whether it can be followed.</summary>
/// <param name="Oid">Another one: the table was dropped and created again.</param>
/// <param name="FileNode">Another one: the table was rewritten (ALTER … TYPE … USING, TRUNCATE, VACUUM FULL, CLUSTER).</param>
/// <param name="Kind">pg_class.relkind.</param>
/// <param name="Persistence">pg_class.relpersistence.</param>
/// <param name="Identity">pg_class.relreplident: d(efault), f(ull), i(ndex), n(othing).</param>
internal sealed record CatalogTable(uint Oid, uint FileNode, char Kind, char Persistence, char Identity, TableRights Rights)
{
    /// <summary>Null without one.</summary>
    public KeyIndex? PrimaryKey { get; init; }

    /// <summary>That of REPLICA IDENTITY USING INDEX; null without one.</summary>
    public KeyIndex? IdentityIndex { get; init; }

    /// <summary>All of them, by number.</summary>
    public IReadOnlyList<CatalogColumn> Columns { get; init; } = [];

    /// <summary>Null: the publication does not bring it.</summary>
    public Membership? Membership { get; init; }

    /// <summary>Tables that inherit from it without being its partitions.</summary>
    public IReadOnlyList<string> Children { get; init; } = [];

    /// <summary>OID of its own entry in the publication; 0 where it has none.</summary>
    public uint Entry { get; init; }

    /// <summary>
    /// Changes with everything besides its own entry that decides whether the publication brings it: the publication's settings, entries
    /// of its schema and of the tables that it is a partition of, its own name and schema.
    /// </summary>
    public string Bearing { get; init; } = "";

    /// <summary>Changes with everything that the catalog says about it.</summary>
    public string Version { get; init; } = "";

    /// <summary>
    /// Generated columns of its replica identity that the publication leaves out, or would. From PostgreSQL 18 on Odoo's own UPDATE and
    /// DELETE fail while such a table is published; before that always empty.
    /// </summary>
    public IReadOnlyList<string> UnsentIdentity { get; init; } = [];

    public CatalogColumn? Column(string name) => Columns.FirstOrDefault(c => c.Name == name);

    /// <summary>A delete says which row it was, and Odoo's own updates pass.</summary>
    public bool IdentityHas(SourceKey key) =>
        Identity switch
        {
            'f' => true,
            'd' => PrimaryKey is { IsImmediate: true } primary && primary.Has(key),
            'i' => IdentityIndex is { } index && index.Has(key),
            _ => false,
        };

    /// <summary>
    /// No two rows have one key. Of a many-to-many table without a primary key, the index that is its replica identity says so too: PostgreSQL
    /// takes only one that is unique at every moment, whole, and without NULL.
    /// </summary>
    public bool IsUniqueBy(SourceKey key) =>
        (PrimaryKey?.Is(key) ?? false)
        || ((key.IsPair || key.IsHashed) && PrimaryKey is null && Identity == 'i' && (IdentityIndex?.Is(key) ?? false));

    /// <summary>REPLICA IDENTITY DEFAULT has it, or would with the primary key that the table lacks.</summary>
    public bool DefaultIdentityHas(SourceKey key) => PrimaryKey is null || (PrimaryKey.IsImmediate && PrimaryKey.Has(key));

    /// <param name="withGenerated">A publication that has the table not yet would bring stored ones.</param>
    public CatalogTable WithUnsentIdentity(bool withGenerated) =>
        this with
        {
            UnsentIdentity =
            [
                .. IdentityColumns
                    .Where(c => c.Generated is { } how && !(Membership is { } member ? member.Brings(c.Name) : how == 's' && withGenerated))
                    .Select(c => c.Name),
            ],
        };

    private IEnumerable<CatalogColumn> IdentityColumns =>
        Identity switch
        {
            'f' => Columns,
            'd' => Of(PrimaryKey),
            'i' => Of(IdentityIndex),
            _ => [],
        };

    private IEnumerable<CatalogColumn> Of(KeyIndex? index) => (index?.Columns ?? []).Select(Column).OfType<CatalogColumn>();
}

/// <summary>A publication as the source's catalog has it now.</summary>
/// <param name="WithGenerated">It brings stored generated columns (PostgreSQL 18).</param>
internal sealed record CatalogPublication(
    string Name,
    bool AllTables,
    bool Insert,
    bool Update,
    bool Delete,
    bool Truncate,
    bool ViaRoot,
    bool IsOwner,
    bool WithGenerated
)
{
    public bool IsWhole => Insert && Update && Delete && Truncate;
}

/// <summary>What the catalog says about the declared tables, by their place, and about the publication.</summary>
/// <param name="Publication">Null: there is none of that name.</param>
internal sealed record SourceCatalog(CatalogPublication? Publication, IReadOnlyList<(EntityDeclaration Entity, CatalogTable? Table)> Tables)
{
    /// <summary>What the publication has of the entity's table, while it is this one; null: nothing.</summary>
    public Membership? MembershipOf(EntityDeclaration entity, uint oid) =>
        Tables.FirstOrDefault(t => t.Entity == entity).Table is { } table && table.Oid == oid ? table.Membership : null;

    /// <summary>Our role owns the tables of all these entities.</summary>
    public bool Owns(IEnumerable<EntityDeclaration> entities) =>
        entities.All(e => Tables.First(t => t.Entity == e).Table is { Rights.IsOwner: true });
}
