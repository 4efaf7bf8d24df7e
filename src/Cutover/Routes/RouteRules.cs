using Cdc.Cutover.Flags;

namespace Cdc.Cutover.Routes;

/// <param name="Services">Empty: all others.</param>
/// <param name="Companies">Empty: all others.</param>
/// <param name="Percentage">Of its cards, those whose reads the engine answers, as far as the flag allows it.</param>
public sealed record RouteRule(
    string Scope,
    IReadOnlyList<string> Services,
    IReadOnlyList<long> Companies,
    string Phase,
    decimal Percentage
);

/// <summary>Who answers.</summary>
/// <param name="ByEngine">False: Odoo.</param>
/// <param name="Scope">Null: no scope has this card.</param>
/// <param name="Percentage">Of the scope's cards, flag included.</param>
public sealed record ReadRoute(bool ByEngine, string? Scope, string? Phase, decimal Percentage);

/// <summary>The scopes of the running plan, and what follows for a card: as the engine's function <c>cdc.route</c> says it.</summary>
/// <param name="Stand">The flag as it is; null: it was never made.</param>
public sealed record RouteRules(string Flag, FlagStand? Stand, IReadOnlyList<RouteRule> Rules)
{
    /// <summary>Without the card's company nothing can be said.</summary>
    public bool DependsOnCompany => Rules.Any(r => r.Companies.Count > 0) || Stand is { Companies.Count: > 0 };

    /// <param name="card">Odoo's id.</param>
    /// <param name="service">Who reads; null: that is not known.</param>
    public ReadRoute Of(long card, long? company, string? service)
    {
        var rule = Rules
            .Where(r => Has(r.Companies, company) && Has(r.Services, service))
            .OrderBy(r => r.Companies.Count == 0)
            .ThenBy(r => r.Services.Count == 0)
            .FirstOrDefault();
        if (rule is null)
            return new ReadRoute(false, null, null, 0);
        var share = Stand is { Enabled: true } flag && Has(flag.Companies, company) ? Math.Min(rule.Percentage, flag.Percentage) : 0;
        return new ReadRoute(CardShare.IsIn(card, Flag, rule.Companies.Count == 0 ? null : company, share), rule.Scope, rule.Phase, share);
    }

    private static bool Has(IReadOnlyList<long> companies, long? company) =>
        companies.Count == 0 || (company is { } id && companies.Contains(id));

    private static bool Has(IReadOnlyList<string> services, string? service) =>
        services.Count == 0 || (service is not null && services.Contains(service));
}
