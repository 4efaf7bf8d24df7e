using System.Globalization;
using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Flags;
using Cdc.Api.Freshness;
using Cdc.Cutover.Routes;
using Microsoft.FeatureManagement;
using Microsoft.FeatureManagement.FeatureFilters;

namespace Cdc.Api.Routes;

/// <summary>
/// Who answers reads of a card, and what a flag says of one: one and the same thing for the flag of the running plan.
/// </summary>
/// <param name="finder">Null: no cards are served.</param>
internal sealed class Router(RouteTable table, IFeatureManager features, CardFinder? finder = null)
{
    public void OnFlagChanged() => table.OnChange();

    /// <summary>Null: no plan runs, and the engine answers everything.</summary>
    public ValueTask<RouteRules?> RulesAsync(CancellationToken ct) => table.RulesAsync(ct);

    /// <param name="subject">A card by Odoo's id; of a flag that no plan has, whatever its share is of.</param>
    /// <param name="company">Null: the engine's row has it, where the plan asks for it.</param>
    /// <exception cref="EngineUnavailableException">The plan was never read, or a company is not known.</exception>
    public async ValueTask<bool> IsOnAsync(string flag, string subject, long? company, string? service, CancellationToken ct)
    {
        if (
            await table.RulesAsync(ct) is { } rules
            && rules.Flag == flag
            && long.TryParse(subject, NumberStyles.None, CultureInfo.InvariantCulture, out var card)
        )
        {
            company ??= rules.DependsOnCompany ? await CompanyAsync(card, ct) : null;
            return rules.Of(card, company, service).ByEngine;
        }
        var context = new TargetingContext { UserId = subject, Groups = company is { } id ? [FlagDefinitions.GroupOf(id)] : [] };
        return await features.IsEnabledAsync<ITargetingContext>(flag, context);
    }

    private async ValueTask<long?> CompanyAsync(long card, CancellationToken ct) =>
        finder is not null
        && card is > 0 and <= int.MaxValue
        && await finder.ByOdooIdAsync((int)card, FreshnessDemand.None, ct) is { Problem: null, Found.Card.CompanyId: var company }
            ? company
            : null;
}
