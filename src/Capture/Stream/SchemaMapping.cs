using Cdc.Capture.Source;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Capture.Stream;

/// <summary>What a relation means for one entity: a schema, or the reason why its rows cannot be read.</summary>
internal sealed record SchemaMapping(TableSchema? Schema, int KeyColumn, string? StopReason)
{
    /// <summary>Columns are found by name; undeclared ones are skipped.</summary>
    public static SchemaMapping Of(EntityDeclaration entity, RelationMessage relation)
    {
        var problems = entity.SourceColumns.Select(column => Problem(entity, column, relation)).OfType<string>().ToList();
        if (problems.Count > 0)
            return new SchemaMapping(null, -1, string.Join(' ', problems));
        var slots = relation.Columns.Select(column => SlotOf(entity, column.Name)).ToArray();
        var schema = new TableSchema(
            entity.Index,
            relation.Oid,
            relation.Name,
            relation.Columns,
            slots,
            entity.SourceColumns.Count,
            RowFormat.PgOutput
        );
        return new SchemaMapping(schema, Array.IndexOf(slots, entity.Key.Slot), null);
    }

    /// <summary>The relation that fed an entity is called something else now.</summary>
    public static string Renamed(EntityDeclaration entity, string name) =>
        $"Table {entity.SourceName} was renamed to {name}: its rows no longer come under the declared name. "
        + "Rename it back, or declare the new name; its rows are then read again.";

    private static string? Problem(EntityDeclaration entity, SourceColumn column, RelationMessage relation)
    {
        var sent = relation.Columns.FirstOrDefault(c => c.Name == column.Name);
        if (sent is null)
            return $"Column {column.Name} of {entity.SourceName} is missing. Add or rename it back in Odoo "
                + $"(ALTER TABLE {entity.SourceName} ADD COLUMN {Sql.Identifier(column.Name)} {SourceTypes.Example(column.Type)}), "
                + "or take it out of the entities declaration.";
        if (!SourceTypes.CanRead(column.Type, sent.TypeOid))
            return $"Column {column.Name} of {entity.SourceName} now has the type with OID {sent.TypeOid}, which cannot be read as {column.Type}. "
                + $"Change it back (ALTER TABLE {entity.SourceName} ALTER COLUMN {Sql.Identifier(column.Name)} TYPE {SourceTypes.Example(column.Type)}), "
                + "or declare another type for it.";
        if (column.Slot == entity.Key.Slot && !sent.IsKey)
            return $"The replica identity of {entity.SourceName} does not have its key column {column.Name}: "
                + $"deletes would not say which row. ALTER TABLE {entity.SourceName} REPLICA IDENTITY DEFAULT.";
        return null;
    }

    private static int SlotOf(EntityDeclaration entity, string column) =>
        entity.SourceColumns.FirstOrDefault(c => c.Name == column)?.Slot ?? -1;
}
