using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Declaration;
using Cdc.Expressions.Rows;
using Xunit;

namespace Cdc.Tests.Unit.Entities;

/// <summary>The declarations of schemas/entities.</summary>
public sealed class PresetTests
{
    public static TheoryData<string> Names => [.. Presets.Names.Where(n => n.StartsWith("odoo-", StringComparison.Ordinal))];

    [Fact]
    public void There_is_one_for_each_Odoo() =>
        Assert.Equal(
            [
                "companies",
                "contacts",
                "odoo-16",
                "odoo-16-points",
                "odoo-17",
                "odoo-18",
                "odoo-19",
                "odoo-20",
                "points-of-sale",
                "products",
                "rewards",
            ],
            Presets.Names
        );

    /// <summary>Parts too: 'cdc entities list' reads each alone.</summary>
    [Fact]
    public void Each_is_a_declaration_by_itself() => Assert.All(Presets.Names, name => Assert.NotEmpty(EntityFile.Load(name).All));

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_preset_compiles_serves_cards_and_knows_its_name(string name)
    {
        var set = EntityFile.Load(name);
        Assert.Equal(name, set.Preset);
        foreach (var entity in set.All)
            RowTransform.Compile(entity);
        var card = set.Serving(ServedRole.Card)!;
        Assert.Equal(("code", "code_key"), (card.ServedColumn("code"), card.NotifyColumn));
        Assert.Equal(name is not ("odoo-16" or "odoo-17"), set.Serving(ServedRole.History) is not null);
        Assert.NotNull(set.Serving(ServedRole.Program)!.NotifyColumn);
        Assert.Equal("code", new DeclaredLookup(card, "code_key").SourceColumn.Name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_rule_that_only_warns_is_kept_with_its_row(string name)
    {
        var card = EntityFile.Load(name).Serving(ServedRole.Card)!;
        var warning = card.Columns.Single(c => c.Name == "warning").Value;
        var rules = card.Rules.Where(r => r.Warn).Select(r => r.Name).ToList();
        Assert.NotEmpty(rules);
        Assert.All(rules, rule => Assert.Contains($"THEN '{rule}'", warning, StringComparison.Ordinal));
        Assert.Equal(rules.Count, warning.Split("THEN").Length - 1);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_rule_that_warns_can_be_made_one_that_quarantines(string name)
    {
        var rules = EntityFile.Load(name, new DeclarationSettings { Quarantine = ["code-blank"] }).Serving(ServedRole.Card)!.Rules;
        Assert.False(rules.Single(r => r.Name == "code-blank").Warn);
    }

    [Fact]
    public void A_name_that_is_no_preset_says_which_there_are()
    {
        var wrong = Assert.Throws<FindingsException>(() => EntityFile.Load("odo-18"));
        Assert.Contains("Did you mean \"odoo-18\"?", Assert.Single(wrong.Findings).Remedy, StringComparison.Ordinal);
    }
}
