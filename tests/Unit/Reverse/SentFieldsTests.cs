using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Declaration;
using Cdc.Reverse.Sending;
using Xunit;

namespace Cdc.Tests.Unit.Reverse;

/// <summary>What cannot be sent is said before anything is.</summary>
public sealed class SentFieldsTests
{
    private const string Points = """ "points": { "type": "double precision", "value": "points::double precision" } """;

    [Fact]
    public void Points_are_added_to_and_other_fields_written()
    {
        var fields = SentFields.Of(
            Entities(
                $$"""{ "model": "loyalty.card", "number": "x_cdc_seq", "additive": ["points"], "fields": { {{Points}}, "code": { "type": "text", "value": "code" } } }"""
            )
        );
        Assert.Equal(("points", "code"), (fields.Points!.Name, Assert.Single(fields.Values).Name));
    }

    [Theory]
    [InlineData("""{ "model": "loyalty.card", "additive": ["points"], "fields": { POINTS } }""", "x_cdc_seq")]
    [InlineData("""{ "model": "loyalty.card", "number": "x_cdc_seq", "fields": { POINTS } }""", "added to")]
    [InlineData(
        """{ "model": "loyalty.card", "number": "x_cdc_seq", "way": "level", "additive": ["points"], "fields": { POINTS } }""",
        "not built"
    )]
    [InlineData(
        """{ "model": "loyalty.card", "number": "x_cdc_seq", "additive": ["points"], "fields": { POINTS, "name": { "type": "text", "value": "code" } } }""",
        "there may be: points, program_id"
    )]
    public void What_the_way_cannot_send_is_refused(string reverse, string says)
    {
        var refused = Assert.Throws<CdcException>(() =>
            SentFields.Of(Entities(reverse.Replace("POINTS", Points, StringComparison.Ordinal)))
        );
        Assert.Equal(FailureKind.Configuration, refused.Kind);
        Assert.Contains(says, refused.Message + refused.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_declared_is_said_with_what_to_do() =>
        Assert.Contains(
            "reverse",
            Assert.Throws<CdcException>(() => SentFields.Of(EntityFile.Load("odoo-19"))).Remedy,
            StringComparison.Ordinal
        );

    private static EntitySet Entities(string reverse) =>
        EntityFile.Parse(
            $$"""{ "include": "odoo-19", "entities": [ { "name": "card", "reverse": {{reverse}} } ] }""",
            SourceTree.PathOf("schemas/own.json")
        );
}
