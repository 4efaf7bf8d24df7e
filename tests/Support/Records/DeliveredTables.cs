using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Expressions.Declaration;

namespace Cdc.Tests.Support.Records;

/// <summary>The tables of the delivered declaration as Odoo makes them, without a server.</summary>
public static class DeliveredTables
{
    public static EntitySet Entities { get; } = EntityFile.Load(SourceTree.PathOf("schemas/entities.json"));

    /// <summary>All declared columns, in the order of the declaration.</summary>
    public static TableSchema SchemaOf(EntityDeclaration entity) =>
        new(
            entity.Index,
            0,
            entity.SourceName,
            [.. entity.SourceColumns.Select(c => new ColumnSchema(c.Name, TypeOf(c.Type), entity.KeyColumns.Contains(c)))],
            [.. Enumerable.Range(0, entity.SourceColumns.Count)],
            entity.SourceColumns.Count,
            RowFormat.PgOutput
        );

    /// <summary>Odoo's integers are int4, its floats float8, its texts varchar.</summary>
    private static uint TypeOf(SourceType type) =>
        type switch
        {
            SourceType.Integer => 23,
            SourceType.Float => 701,
            SourceType.Text => 1043,
            SourceType.Boolean => 16,
            SourceType.Timestamp => 1114,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Odoo's loyalty tables have no such column: name its OID here."),
        };
}
