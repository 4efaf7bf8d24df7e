using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Declaration;
using Xunit;

namespace Cdc.Tests.Unit.Entities;

/// <summary>What of an entity flows back to Odoo, and what cannot.</summary>
public sealed class ReverseDeclarationTests
{
    private const string Points = """{ "points": { "type": "double precision", "value": "points::double precision" } }""";

    private static string Card(string reverse, string columns = "", string name = "card") =>
        $$"""
            { "name": "{{name}}",
              "source": { "table": "{{name}}", "key": "id", "columns": { "id": "int4", "points": "float8", "note": "varchar" } },
              "engine": { "table": "{{name}}s", "columns": [
                { "name": "points", "type": "numeric(18,2)", "value": "round(points::numeric, 2)" },
                { "name": "note", "type": "text", "value": "note" }{{columns}} ] }, "reverse": {{reverse}} },

            """;

    private static string Child(string reverse) =>
        $$"""
            { "name": "move",
              "source": { "table": "move", "key": "id", "columns": { "id": "int4", "card_id": "int4", "amount": "int4" } },
              "engine": { "table": "moves", "columns": [
                { "name": "card_id", "type": "bigint", "value": "card_id" }, { "name": "amount", "type": "bigint", "value": "amount" } ] },
              "parents": { "card_id": "card" }, "reverse": {{reverse}} },

            """;

    private static EntitySet Parse(params string[] entities) =>
        EntityFile.Parse($"{{ \"entities\": [\n{string.Concat(entities)}\n] }}", "own.json");

    [Fact]
    public void What_fields_are_made_of_is_owned_and_a_row_names_its_card()
    {
        var entities = Parse(
            Card($$"""{ "model": "loyalty.card", "way": "sequence", "additive": ["points"], "fields": {{Points}} }"""),
            Child("""{ "model": "loyalty.move", "card": "card_id", "fields": { "amount": { "type": "bigint", "value": "amount + 1" } } }""")
        );
        Assert.Same(entities[0], entities.Cards);
        var (card, move) = (entities[0].Reverse!, entities[1].Reverse!);
        Assert.Equal(("loyalty.card", "sequence", true), (card.Model, card.Way, card.IsCard));
        Assert.Equal(["points"], card.Owned);
        Assert.Equal(["points"], card.Additive);
        Assert.Null(move.Way);
        Assert.Equal(("card_id", "amount"), (move.CardColumn, Assert.Single(move.Owned)));
        Assert.Equal(new ReverseField("amount", "bigint", "amount + 1"), Assert.Single(move.Fields));
    }

    [Fact]
    public void The_number_of_Odoo_s_row_is_a_column_as_any_other_and_only_with_it_both_sides_add()
    {
        var without = Parse(Card($$"""{ "model": "c", "additive": ["points"], "fields": {{Points}} }"""))[0];
        Assert.Empty(without.Reverse!.Merged);
        Assert.Equal(["points", "note"], without.Columns.Select(c => c.Name));
        var card = Parse(Card($$"""{ "model": "c", "number": "x_cdc_seq", "additive": ["points"], "fields": {{Points}} }"""))[0];
        Assert.Equal(["points"], card.Reverse!.Merged);
        Assert.Equal(new EngineColumn("odoo_number", "bigint", "x_cdc_seq::bigint", NotNull: false), card.Columns[^1]);
        Assert.Equal(new SourceColumn(3, "x_cdc_seq", SourceType.Float), card.SourceColumns[^1]);
        // Declared besides, it is there once.
        Assert.Equal(3, Parse(Card($$"""{ "model": "c", "number": "points", "fields": {{Points}} }"""))[0].SourceColumns.Count);
    }

    [Fact]
    public void Without_it_nothing_has_owners()
    {
        var entities = EntityFile.Load(SourceTree.PathOf("schemas/entities.json"));
        Assert.Null(entities.Cards);
        Assert.All(entities.All, e => Assert.Null(e.Reverse));
    }

    [Theory]
    [InlineData("""{ "fields": POINTS }""", "has no \"model\"")]
    [InlineData("""{ "model": "m" }""", "has no \"fields\"")]
    [InlineData("""{ "model": "m", "fields": {} }""", "no field of Odoo's is written")]
    [InlineData("""{ "model": "m", "fields": POINTS, "way": "sequel" }""", "\"sequel\" is no way to write into Odoo")]
    [InlineData("""{ "model": "m", "fields": POINTS, "note": 1 }""", "unknown property \"note\"")]
    [InlineData("""{ "model": "m", "fields": POINTS, "additive": ["note"] }""", "\"additive\" names \"note\", of which no field is made")]
    [InlineData("""{ "model": "m", "fields": POINTS, "additive": "points" }""", "\"additive\" must be an array")]
    [InlineData(
        """{ "model": "m", "fields": { "note": { "type": "text", "value": "note" } }, "additive": ["note"] }""",
        "both sides add to exact numbers"
    )]
    [InlineData("""{ "model": "m", "fields": { "x": { "type": "text", "value": "nothing" } } }""", "nothing")]
    [InlineData("""{ "model": "m", "fields": { "x": { "type": "money", "value": "note" } } }""", "the type \"money\" is not supported")]
    [InlineData("""{ "model": "m", "fields": { "x": { "type": "text", "value": "'a'" } } }""", "x is made of no column")]
    [InlineData("""{ "model": "m", "fields": { "x": { "type": "text" } } }""", "has no \"value\"")]
    [InlineData("""{ "model": "m", "fields": POINTS, "card": "points" }""", "which is no parent of it")]
    [InlineData("""{ "model": "m", "fields": POINTS, "number": "note" }""", "the number \"note\" is Text")]
    [InlineData("""{ "model": "m", "fields": POINTS, "ref": "x_cdc_ref" }""", "what is born in the engine has no place for Odoo's id")]
    public void What_is_wrong_is_said_with_its_line(string reverse, string said) =>
        Refuses(said, Card(reverse.Replace("POINTS", Points, StringComparison.Ordinal)));

    [Fact]
    public void A_row_s_card_is_a_parent_that_flows_back_and_cards_are_of_one_entity()
    {
        var card = Card($$"""{ "model": "c", "fields": {{Points}} }""");
        const string Fields = """ "fields": { "amount": { "type": "bigint", "value": "amount" } } }""";
        Refuses("\"card\" names \"amount\", which is no parent of it", card, Child("""{ "model": "m", "card": "amount",""" + Fields));
        Refuses("only cards have a number", card, Child("""{ "model": "m", "card": "card_id", "number": "n",""" + Fields));
        Refuses("only cards have numbers", card, Child("""{ "model": "m", "card": "card_id", "additive": ["amount"],""" + Fields));
        Refuses("card and move both flow back to Odoo as cards", card, Child("""{ "model": "m",""" + Fields));
        Refuses(
            "move flows back to Odoo with its card, which has no \"reverse\"",
            card.Replace(", \"reverse\": ", ", \"rules\": [] }, //", StringComparison.Ordinal),
            Child("""{ "model": "m", "card": "card_id",""" + Fields)
        );
    }

    [Theory]
    [InlineData("owner")]
    [InlineData("base")]
    [InlineData("odoo_number")]
    public void Columns_of_the_pipeline_s_own_are_not_declared(string column) =>
        Refuses(
            $"\"{column}\" is written by the pipeline itself",
            Card($$"""{ "model": "c", "fields": {{Points}} }""", $$""", { "name": "{{column}}", "type": "text", "value": "note" }""")
        );

    private static void Refuses(string said, params string[] entities)
    {
        var failure = Assert.Throws<FindingsException>(() => Parse(entities));
        Assert.Equal(FailureKind.Configuration, failure.Kind);
        var finding = Assert.Single(failure.Findings);
        Assert.Contains(said, finding.Message, StringComparison.Ordinal);
        Assert.Contains("own.json line", finding.Message, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Remedy);
    }
}
