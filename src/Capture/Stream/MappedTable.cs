using Cdc.Core.Changes;

namespace Cdc.Capture.Stream;

/// <summary>A relation of the stream and the entities it feeds now; none for undeclared and stopped tables.</summary>
internal sealed class MappedTable(string name, int keyColumn, TableSchema[] schemas)
{
    public string Name { get; } = name;
    public int KeyColumn { get; } = keyColumn;
    public ReadOnlySpan<TableSchema> Schemas => schemas;
    public bool IsMapped => schemas.Length > 0;
}
