using Cdc.Capture.Tables;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;

namespace Cdc.Capture.Stream;

/// <summary>What a relation means for one entity: a schema, or why its rows cannot be read.</summary>
internal sealed record SchemaMapping(TableSchema? Schema, KeyPlaces Key, IReadOnlyList<Finding> Obstacles)
{
    /// <summary>Columns are found by name; undeclared ones are skipped.</summary>
    public static SchemaMapping Of(EntityDeclaration entity, RelationMessage relation)
    {
        var obstacles = TableJudge.Judge(entity, relation);
        if (obstacles.Count > 0)
            return new SchemaMapping(null, KeyPlaces.None, obstacles);
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
        var second = entity.SecondKey is { } column ? Array.IndexOf(slots, column.Slot) : -1;
        return new SchemaMapping(
            schema,
            entity.HashedKey is { } hashed
                ? new KeyPlaces(-1, 0, new HashedKeyPlaces(hashed, [.. hashed.Select(c => Array.IndexOf(slots, c.Slot))]))
                : new KeyPlaces(Array.IndexOf(slots, entity.Key.Slot), second),
            []
        );
    }

    private static int SlotOf(EntityDeclaration entity, string column) =>
        entity.SourceColumns.FirstOrDefault(c => c.Name == column)?.Slot ?? -1;
}
