using Cdc.Apply.Rows;
using Cdc.Core.Entities;
using Cdc.Engine.Rows;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit.Apply;

/// <summary>The SQL that writes an entity, as golden text: a change of it is looked at. <c>CDC_UPDATE_GOLDEN=1</c> writes the files anew.</summary>
public sealed class UpsertSqlTests
{
    [Theory]
    [InlineData("card")]
    [InlineData("history")]
    public void The_statements_of_an_entity_are_as_they_were(string entity)
    {
        var path = SourceTree.PathOf($"tests/Unit/Apply/golden/{entity}.sql");
        var declared = EntityFile.Load(SourceTree.PathOf("schemas/entities.json")).Find(entity)!;
        var text = Text(new UpsertSql(declared), new HeldDeletesSql(declared, owes: false), new HeldDeletesSql(declared, owes: true));
        if (Environment.GetEnvironmentVariable("CDC_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text);
        Assert.Equal(File.ReadAllText(path), text, ignoreLineEndingDifferences: true);
    }

    private static string Text(UpsertSql sql, HeldDeletesSql held, HeldDeletesSql owing)
    {
        (string Name, IReadOnlyList<string> Statements)[] parts =
        [
            ("staging tables", [sql.CreateStage, sql.CreateHoles, sql.CopyStage, sql.CopyHoles]),
            ("straight copy", [sql.MaxKey, sql.HasRows, sql.CopyTable]),
            ("upsert", sql.Upsert(entries: false)),
            ("upsert that meets entries", sql.Upsert(entries: true)),
            ("delete", sql.Delete(entries: false)),
            ("delete that meets entries", sql.Delete(entries: true)),
            ("truncate", sql.Truncate),
            ("holes", sql.FillHoles),
            ("quarantine", sql.QuarantineRows),
            ("hold what a range did not see", [held.Hold(byKeys: false, rows: true)]),
            ("hold what keys did not see", [held.Hold(byKeys: true, rows: true)]),
            ("hold entries alone", [held.Hold(byKeys: false, rows: false)]),
            ("held keys", [held.Count, held.RowCount]),
            ("delete what is held", [held.DeleteRows, .. held.DeleteEntries]),
            ("delete what is held, over Kafka", [owing.DeleteRows, .. owing.DeleteEntries]),
        ];
        return string.Concat(
            parts.Select(p => $"-- {p.Name}\n{string.Concat(p.Statements.Select(s => s.ReplaceLineEndings("\n").TrimEnd() + ";\n"))}\n")
        );
    }
}
