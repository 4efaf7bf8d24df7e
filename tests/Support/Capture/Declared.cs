using Cdc.Core.Entities;

namespace Cdc.Tests.Support.Capture;

/// <summary>Entities for tests of capture: only what the source's side of a declaration has.</summary>
public static class Declared
{
    /// <param name="entities">Each as <c>card: id integer, code text</c>; <c>other=card: …</c> for a second entity of one table. The first
    /// column is the key.</param>
    public static EntitySet Entities(params string[] entities) => new([.. entities.Select(Entity)]);

    private static EntityDeclaration Entity(string text, int index)
    {
        var (head, body) = Split(text, ':');
        var (name, table) = head.Contains('=', StringComparison.Ordinal) ? Split(head, '=') : (head, head);
        SourceColumn[] columns = [.. body.Split(',').Select((column, slot) => Column(column.Trim(), slot))];
        return new EntityDeclaration
        {
            Index = index,
            Name = name,
            SourceSchema = "public",
            SourceTable = table,
            EngineSchema = "public",
            EngineTable = name,
            Key = columns[0],
            EngineKey = columns[0].Name,
            SourceColumns = columns,
            Columns = [],
            Rules = [],
            Parents = [],
        };
    }

    private static SourceColumn Column(string text, int slot)
    {
        var (name, type) = Split(text, ' ');
        return new SourceColumn(slot, name, Enum.Parse<SourceType>(type, ignoreCase: true));
    }

    private static (string, string) Split(string text, char at)
    {
        var parts = text.Split(at, 2, StringSplitOptions.TrimEntries);
        return (parts[0], parts[1]);
    }
}
