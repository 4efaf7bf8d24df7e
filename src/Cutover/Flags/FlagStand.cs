using System.Globalization;
using Cdc.Cutover.Phases;
using Cdc.Cutover.Plans;

namespace Cdc.Cutover.Flags;

/// <summary>
/// A plan's flag. The phases set it to the greatest share of any scope, and a scope has the smaller of its own share and the flag's: so
/// whoever lowers the flag or switches it off takes reads back at once, and whoever raises it passes by no gate.
/// </summary>
/// <param name="Companies">Sorted; empty: all.</param>
/// <param name="ChangedBy">Null: nobody made it yet.</param>
public sealed record FlagStand(bool Enabled, decimal Percentage, IReadOnlyList<long> Companies, string? ChangedBy = null)
{
    /// <summary>25.00, as the engine keeps it, as 25: a division takes the scale away.</summary>
    public static decimal WithoutZeros(decimal percentage) => percentage / 1.000000000000000000000000000m;

    /// <summary>Of a scope's share, what it leaves: nothing where it names companies and none of them is the scope's.</summary>
    public decimal Allows(PlanScope scope, decimal share) =>
        !Enabled || (Companies.Count > 0 && scope.Companies.Count > 0 && !Companies.Intersect(scope.Companies).Any())
            ? 0
            : Math.Min(share, Percentage);

    /// <summary>What the scopes' phases make of it.</summary>
    public static FlagStand Of(CutoverPlan plan, IReadOnlyCollection<ScopeState> states)
    {
        var moved = states.Where(s => s.PercentageIn(plan) > 0).ToList();
        return moved.Count == 0
            ? new(false, 0, [])
            : new(
                true,
                moved.Max(s => s.PercentageIn(plan)),
                moved.Any(s => s.Scope.Companies.Count == 0) ? [] : [.. moved.SelectMany(s => s.Scope.Companies).Distinct().Order()]
            );
    }

    /// <summary>Null: it is as wanted. Otherwise what it is, and what brings it back.</summary>
    /// <param name="flag">Its name.</param>
    public string? Differs(FlagStand wanted, string flag)
    {
        // Switched off, its share does not matter.
        if (Enabled == wanted.Enabled && (!Enabled || (Percentage == wanted.Percentage && Companies.SequenceEqual(wanted.Companies))))
            return null;
        return $"the flag {flag} is {Text}, by {ChangedBy ?? "nobody"}, and the phases have set it to {wanted.Text}: set it so again (POST /feature-flags/{flag}), or roll back";
    }

    private string Text =>
        Enabled
            ? string.Create(CultureInfo.InvariantCulture, $"on for {Percentage:0.##} percent")
                + (Companies.Count == 0 ? "" : $" of companies {string.Join(", ", Companies)}")
            : "off";
}
