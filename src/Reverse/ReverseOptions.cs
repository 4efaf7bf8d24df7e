using Cdc.Core.Configuration;

namespace Cdc.Reverse;

/// <summary>The way back into Odoo (section <c>Reverse</c>): own changes of the engine are sent there.</summary>
public sealed record ReverseOptions : IOptionSection
{
    /// <summary><c>cdc run</c> sends too. <c>cdc reverse</c> does in any case.</summary>
    public bool Enabled { get; init; }

    /// <summary>Cards of one call: one transaction in Odoo, which locks them until it ends.</summary>
    public int BatchCards { get; init; } = 100;

    /// <summary>Changes of one card in one call.</summary>
    public int CardChanges { get; init; } = 200;

    /// <summary>How often is looked for own changes of which no notice came.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What the row of Odoo's history (18 and later) says of a change of points; empty: no such row is made.</summary>
    public string HistoryText { get; init; } = "Loyalty engine";

    public void Check(OptionChecks checks)
    {
        checks.Require(BatchCards is >= 1 and <= 1000, nameof(BatchCards), "must be between 1 and 1000");
        checks.Require(CardChanges is >= 1 and <= 5000, nameof(CardChanges), "must be between 1 and 5000");
        checks.Interval(nameof(PollInterval), PollInterval);
        checks.Require(HistoryText.Length <= 200, nameof(HistoryText), "must have at most 200 characters");
    }
}
