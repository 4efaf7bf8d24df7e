using Cdc.Core.Changes;

namespace Cdc.Capture.Stream;

/// <summary>A table as the stream describes it before its first row, and again after each change of its definition.</summary>
internal sealed record RelationMessage(uint Oid, string Schema, string Table, IReadOnlyList<ColumnSchema> Columns)
{
    public string Name => $"{Schema}.{Table}";

    public static RelationMessage Read(ref PgOutputReader reader)
    {
        var oid = reader.UInt32();
        var schema = reader.Text();
        var table = reader.Text();
        _ = reader.Byte(); // replica identity: the columns' own flags say what it comes to
        return new RelationMessage(oid, schema.Length == 0 ? "pg_catalog" : schema, table, ReadColumns(ref reader));
    }

    private static ColumnSchema[] ReadColumns(ref PgOutputReader reader)
    {
        var columns = new ColumnSchema[reader.Int16()];
        for (var i = 0; i < columns.Length; i++)
        {
            var isKey = (reader.Byte() & 1) != 0;
            var name = reader.Text();
            columns[i] = new ColumnSchema(name, reader.UInt32(), isKey, reader.Int32());
        }
        return columns;
    }
}
