using Cdc.Core.Entities;
using Cdc.Expressions.Declaration;
using Cdc.Reconcile.Comparing;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit.Reconcile;

/// <summary>The SQL that compares an entity, as golden text: a change of it is looked at. <c>CDC_UPDATE_GOLDEN=1</c> writes the files anew.</summary>
public sealed class SideSqlTests
{
    [Theory]
    [InlineData("card")]
    [InlineData("history")]
    public void The_statements_of_an_entity_are_as_they_were(string name)
    {
        var path = SourceTree.PathOf($"tests/Unit/Reconcile/golden/{name}.sql");
        var entity = EntityFile.Load(SourceTree.PathOf("schemas/entities.json")).Find(name)!;
        // As Odoo's catalog has them: int4 and float8.
        var types = entity.SourceColumns.ToDictionary(
            c => c.Name,
            c =>
                c.Type switch
                {
                    SourceType.Integer => 23u,
                    SourceType.Float => 701u,
                    _ => 0u,
                }
        );
        CanonicalColumn[] columns = [.. entity.Columns.Select(c => CanonicalColumn.Of(c, types))];
        var since = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var text =
            Text("source", SideSql.Source(entity, columns))
            + Text("engine", SideSql.Engine(entity, columns))
            + $"-- source, a window of time\n{SideSql.Source(entity, columns, since).Count};\n\n-- engine, a window of time\n{SideSql.Engine(entity, columns, since).Count};\n";
        text = text.ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("CDC_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text);
        Assert.Equal(File.ReadAllText(path), text, ignoreLineEndingDifferences: true);
    }

    private static string Text(string side, SideSql sql)
    {
        (string Name, string Statement)[] parts =
        [
            ("sums", sql.Sums(leaveOut: false)),
            ("hashes without some keys", sql.Hashes(leaveOut: true)),
            ("values", sql.Values),
            ("one value", sql.Value(1)),
            ("is there", sql.Exists),
            ("rows", sql.Count),
            ("ends", sql.Ends),
        ];
        return string.Concat(parts.Select(p => $"-- {side}, {p.Name}\n{p.Statement};\n\n"));
    }
}
