namespace Cdc.Core.Changes;

/// <summary>How the bytes of a <see cref="RowImage"/> are laid out.</summary>
public enum RowFormat
{
    /// <summary>pgoutput TupleData: int16 count, then for each column a kind byte ('n' null, 'u' unchanged, 'b' binary, 't' text),
    /// and for 'b' and 't' an int32 length and the bytes.</summary>
    PgOutput,

    /// <summary>One row of binary COPY: int16 count, then for each column an int32 length (-1 = null) and the bytes.</summary>
    Copy,
}

/// <param name="Name">Name in the source table.</param>
/// <param name="TypeOid">OID in pg_type.</param>
/// <param name="IsKey">Part of the replica identity.</param>
/// <param name="TypeModifier">As in pg_attribute.atttypmod, such as numeric's precision and scale; -1: none.</param>
public sealed record ColumnSchema(string Name, uint TypeOid, bool IsKey, int TypeModifier = -1);

/// <summary>
/// The columns of one source table, in the order of its rows' images. Immutable: every Relation message that differs makes a new one,
/// and rows that are still queued keep the one they were written with.
/// </summary>
public sealed class TableSchema
{
    private readonly int[] _slotOfColumn;

    /// <param name="entity">Index of the entity in the declaration.</param>
    /// <param name="relationOid">OID in pg_class; 0 for rows of a chunk.</param>
    /// <param name="columns">In the order of the row images.</param>
    /// <param name="slotOfColumn">For each column the declared source column it carries (index), or -1 if it is not declared.</param>
    public TableSchema(
        int entity,
        uint relationOid,
        string name,
        IReadOnlyList<ColumnSchema> columns,
        int[] slotOfColumn,
        int slots,
        RowFormat format
    )
    {
        (Entity, RelationOid, Name, Columns, Slots, Format) = (entity, relationOid, name, columns, slots, format);
        _slotOfColumn = slotOfColumn;
    }

    public int Entity { get; }
    public uint RelationOid { get; }

    /// <summary>Schema-qualified, such as <c>public.loyalty_card</c>.</summary>
    public string Name { get; }
    public IReadOnlyList<ColumnSchema> Columns { get; }

    /// <summary>Number of declared source columns.</summary>
    public int Slots { get; }
    public RowFormat Format { get; }
    public ReadOnlySpan<int> SlotOfColumn => _slotOfColumn;
}
