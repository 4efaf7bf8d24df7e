namespace Cdc.Api.Flags;

/// <param name="Percentage">Of cards, 0 to 100, by a hash that never changes: raising it only adds cards.</param>
/// <param name="Companies">Odoo's ids; empty: all.</param>
/// <param name="Version">One more with every change.</param>
internal sealed record FeatureFlag(
    string Name,
    bool Enabled,
    decimal Percentage,
    IReadOnlyList<long> Companies,
    long Version,
    DateTimeOffset UpdatedAt,
    string UpdatedBy
);

/// <param name="On">What this card gets; null: no card was asked about.</param>
internal sealed record FlagView(
    string Name,
    bool Enabled,
    decimal Percentage,
    IReadOnlyList<long> Companies,
    long Version,
    DateTimeOffset UpdatedAt,
    string UpdatedBy,
    long? Card,
    long? Company,
    bool? On
)
{
    public static FlagView Of(FeatureFlag flag, long? card = null, long? company = null, bool? on = null) =>
        new(flag.Name, flag.Enabled, flag.Percentage, flag.Companies, flag.Version, flag.UpdatedAt, flag.UpdatedBy, card, company, on);
}

internal sealed record FlagChange(
    long Id,
    DateTimeOffset ChangedAt,
    string ChangedBy,
    string? Address,
    System.Text.Json.JsonElement? Before,
    System.Text.Json.JsonElement After
);
