using Cdc.Core.Entities;
using Cdc.Expressions.Declaration;
using Cdc.Expressions.Rows;
using Xunit;

namespace Cdc.Tests.Unit.Entities;

public sealed class DeliveredDeclarationTests
{
    private static EntitySet Delivered => EntityFile.Load(Path.Combine(AppContext.BaseDirectory, "schemas", "entities.json"));

    [Fact]
    public void The_delivered_declaration_has_parents_before_children_and_the_plain_table_last()
    {
        Assert.Equal(["card", "move", "history", "program"], Delivered.All.Select(e => e.Name));
    }

    [Fact]
    public void Every_delivered_entity_compiles()
    {
        foreach (var entity in Delivered.All)
            RowTransform.Compile(entity);
    }

    [Fact]
    public void Rules_that_follow_from_the_engines_types_are_generated()
    {
        var rules = RowTransform.Compile(Delivered.Find("card")!).Rules.Select(r => r.Name);
        Assert.Equal(
            [
                "code-empty",
                "program-id-null",
                "program-zero",
                "partner-zero",
                "points-not-finite",
                "points-negative",
                "odoo-card-id-out-of-range",
                "code-null",
                "code-too-long",
                "points-null",
                "points-too-large",
            ],
            rules
        );
    }
}
