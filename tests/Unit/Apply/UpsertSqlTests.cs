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

    /// <summary>Where nothing flows back to Odoo, the text above is all there is; where something does, these are the statements.</summary>
    [Theory]
    [InlineData("card")]
    [InlineData("history")]
    public void The_statements_of_an_entity_whose_rows_have_owners_are_as_they_were(string entity)
    {
        const string Numbered = """
            { "include": "entities.json", "entities": [
              { "name": "card", "reverse": { "model": "loyalty.card", "number": "x_cdc_seq", "ref": "x_cdc_ref", "additive": ["points"], "fields": {
                  "points": { "type": "double precision", "value": "points::double precision" }, "partner_id": { "type": "bigint", "value": "partner_id" } } } },
              { "name": "history", "reverse": { "model": "loyalty.point.history", "card": "loyalty_card_id", "fields": {
                  "origin": { "type": "text", "value": "origin" } } } } ] }
            """;
        var entities = EntityFile.Parse(Numbered, SourceTree.PathOf("schemas/owned.json"));
        var declared = entities.Find(entity)!;
        var owner = OwnerSql.Of(declared, entities);
        var sql = UpsertSql.WithOwners(declared, entities);
        var text =
            Text(sql, new HeldDeletesSql(declared, false, owner), new HeldDeletesSql(declared, true, owner))
            + Text([
                ("versions", [sql.CreateVersions, sql.CopyVersions, .. sql.Name(sql.Versions), .. sql.Conflicts]),
                ("echoes", sql.Echoes),
            ]);
        var path = SourceTree.PathOf($"tests/Unit/Apply/golden/owned-{entity}.sql");
        if (Environment.GetEnvironmentVariable("CDC_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text);
        Assert.Equal(File.ReadAllText(path), text, ignoreLineEndingDifferences: true);
        // The same where all rows are Odoo's, whatever the declaration says.
        var withoutNumber = Numbered.Replace("\"number\": \"x_cdc_seq\", \"ref\": \"x_cdc_ref\", ", "", StringComparison.Ordinal);
        Assert.Equal(
            Text(EntityFile.Load(SourceTree.PathOf("schemas/entities.json")).Find(entity)!),
            Text(EntityFile.Parse(withoutNumber, SourceTree.PathOf("schemas/owned.json")).Find(entity)!)
        );
    }

    private static string Text(EntityDeclaration entity) =>
        Text(new UpsertSql(entity), new HeldDeletesSql(entity, false), new HeldDeletesSql(entity, true));

    private static string Text(UpsertSql sql, HeldDeletesSql held, HeldDeletesSql owing)
    {
        (string Name, IReadOnlyList<string> Statements)[] parts =
        [
            ("staging tables", [sql.CreateStage, sql.CreateHoles, sql.CopyStage, sql.CopyHoles]),
            ("straight copy", [sql.MaxKey, sql.HasRows, sql.CopyTable]),
            ("update", [sql.Update]),
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
            ("delete what is held", [.. held.KeepRows, held.DeleteRows, .. held.DeleteEntries]),
            ("delete what is held, over Kafka", [owing.DeleteRows, .. owing.DeleteEntries]),
        ];
        return Text(parts);
    }

    private static string Text(IEnumerable<(string Name, IReadOnlyList<string> Statements)> parts) =>
        string.Concat(
            parts.Select(p => $"-- {p.Name}\n{string.Concat(p.Statements.Select(s => s.ReplaceLineEndings("\n").TrimEnd() + ";\n"))}\n")
        );
}
