using System.Globalization;
using Cdc.Cutover.Flags;
using Cdc.Cutover.Routes;
using Cdc.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.FeatureManagement;
using Microsoft.FeatureManagement.FeatureFilters;
using Xunit;

namespace Cdc.Tests.Unit.Cutover;

public sealed class RouteRulesTests
{
    private static readonly FlagStand On = new(true, 100, []);

    [Fact]
    public async Task A_card_has_the_share_that_feature_flags_give_it()
    {
        var random = new Random(TestSeed.Draw());
        foreach (
            var (company, percentage) in ((long?, decimal)[])[(null, 37.5m), (3, 37.5m), (null, 0.01m), (null, 99.99m), (7, 100), (null, 0)]
        )
        {
            var audience = new Dictionary<string, string?>
            {
                ["Audience:DefaultRolloutPercentage"] = company is null ? percentage.ToString(CultureInfo.InvariantCulture) : "0",
            };
            if (company is not null)
                (audience["Audience:Groups:0:Name"], audience["Audience:Groups:0:RolloutPercentage"]) = (
                    $"company:{company}",
                    percentage.ToString(CultureInfo.InvariantCulture)
                );
            await using var services = new ServiceCollection()
                .AddSingleton<IFeatureDefinitionProvider>(new One(audience))
                .AddFeatureManagement()
                .Services.BuildServiceProvider();
            var features = services.GetRequiredService<IFeatureManager>();
            for (var i = 0; i < 300; i++)
            {
                var card = random.NextInt64(1, int.MaxValue);
                var context = new TargetingContext
                {
                    UserId = card.ToString(CultureInfo.InvariantCulture),
                    Groups = company is null ? [] : [$"company:{company}"],
                };
                Assert.Equal(
                    await features.IsEnabledAsync<ITargetingContext>("rust-engine", context),
                    CardShare.IsIn(card, "rust-engine", company, percentage)
                );
            }
        }
    }

    [Fact]
    public void A_card_follows_the_scope_of_its_company_then_of_the_service_then_the_rest()
    {
        var rules = new RouteRules(
            "f",
            On,
            [
                new("rest", [], [], "shadow", 0),
                new("pos", ["pos"], [], "ramp", 100),
                new("pilot", [], [1, 2], "ramp", 100),
                new("pilot-web", ["web"], [1], "shadow", 0),
            ]
        );
        Assert.Equal("pilot", rules.Of(1, 1, "pos").Scope);
        Assert.Equal("pilot-web", rules.Of(1, 1, "web").Scope);
        Assert.Equal("pos", rules.Of(1, 3, "pos").Scope);
        Assert.Equal("rest", rules.Of(1, null, null).Scope);
        Assert.Equal(new ReadRoute(false, null, null, 0), (rules with { Rules = [rules.Rules[2]] }).Of(1, 3, null));
        Assert.True(rules.Of(1, 1, "pos").ByEngine);
    }

    [Fact]
    public void Of_scope_and_flag_the_smaller_share_counts()
    {
        var rules = new RouteRules("f", On, [new("rest", [], [], "ramp", 50)]);
        Assert.Equal(50, rules.Of(1, 3, null).Percentage);
        Assert.Equal(20, (rules with { Stand = On with { Percentage = 20 } }).Of(1, 3, null).Percentage);
        Assert.Equal(0, (rules with { Stand = On with { Enabled = false } }).Of(1, 3, null).Percentage);
        Assert.Equal(0, (rules with { Stand = null }).Of(1, 3, null).Percentage);
        Assert.Equal(50, (rules with { Stand = On with { Companies = [3] } }).Of(1, 3, null).Percentage);
        Assert.Equal(0, (rules with { Stand = On with { Companies = [3] } }).Of(1, null, null).Percentage);
        Assert.False(rules.DependsOnCompany);
        Assert.True((rules with { Stand = On with { Companies = [3] } }).DependsOnCompany);

        var third = On with { Percentage = 20, Companies = [3] };
        Assert.Equal(
            [20, 10, 20, 0],
            [
                third.Allows(new() { Companies = [1, 3] }, 50),
                third.Allows(new() { Companies = [3] }, 10),
                third.Allows(new(), 50),
                third.Allows(new() { Companies = [1] }, 50),
            ]
        );
    }

    private sealed class One(Dictionary<string, string?> audience) : IFeatureDefinitionProvider
    {
        private readonly FeatureDefinition _flag = new()
        {
            Name = "rust-engine",
            EnabledFor =
            [
                new FeatureFilterConfiguration
                {
                    Name = "Microsoft.Targeting",
                    Parameters = new ConfigurationBuilder().AddInMemoryCollection(audience).Build(),
                },
            ],
        };

        public Task<FeatureDefinition> GetFeatureDefinitionAsync(string featureName) => Task.FromResult(_flag);

        public async IAsyncEnumerable<FeatureDefinition> GetAllFeatureDefinitionsAsync()
        {
            await Task.CompletedTask;
            yield return _flag;
        }
    }
}
