using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.FeatureManagement;

namespace Cdc.Api.Flags;

/// <summary>
/// Our flags as definitions of Microsoft.FeatureManagement: a targeting audience. Its hash of card and flag makes answers sticky.
/// </summary>
internal sealed class FlagDefinitions(FlagTable flags) : IFeatureDefinitionProvider
{
    public async Task<FeatureDefinition> GetFeatureDefinitionAsync(string featureName) =>
        (await flags.AllAsync(CancellationToken.None)).TryGetValue(featureName, out var flag) ? Define(flag) : null!;

    public async IAsyncEnumerable<FeatureDefinition> GetAllFeatureDefinitionsAsync()
    {
        foreach (var flag in (await flags.AllAsync(CancellationToken.None)).Values)
            yield return Define(flag);
    }

    /// <summary>With companies, only they: each at the percentage, all others at 0.</summary>
    private static FeatureDefinition Define(FeatureFlag flag)
    {
        var percentage = flag.Percentage.ToString(CultureInfo.InvariantCulture);
        var audience = new Dictionary<string, string?>
        {
            ["Audience:DefaultRolloutPercentage"] = flag.Companies.Count == 0 ? percentage : "0",
        };
        for (var i = 0; i < flag.Companies.Count; i++)
            (audience[$"Audience:Groups:{i}:Name"], audience[$"Audience:Groups:{i}:RolloutPercentage"]) = (
                GroupOf(flag.Companies[i]),
                percentage
            );
        var filter = new FeatureFilterConfiguration
        {
            Name = "Microsoft.Targeting",
            Parameters = new ConfigurationBuilder().AddInMemoryCollection(audience).Build(),
        };
        return new FeatureDefinition { Name = flag.Name, EnabledFor = flag.Enabled ? [filter] : [] };
    }

    public static string GroupOf(long company) => "company:" + company.ToString(CultureInfo.InvariantCulture);
}
