using Cdc.Api.Freshness;

namespace Cdc.Api.Balances;

/// <summary>A card's points, and how fresh they are.</summary>
/// <param name="AsOf">Everything committed in Odoo until then is in it. Of a card that is not current: when its version was
/// committed.</param>
/// <param name="LagSeconds">Age of <paramref name="AsOf"/>.</param>
/// <param name="Position">generation:lsn:ordinal of the card's last change; null for a card born in the engine.</param>
/// <param name="Through">generation:lsn, how far the engine is: as <c>min-position</c> of a later request it keeps that one from being
/// older.</param>
/// <param name="Negative">Odoo allows it: tills that sold offline.</param>
/// <param name="Warning">Why it is worth a look, although it was applied, such as <c>points-rounded</c>.</param>
/// <param name="Spendable">Whether Odoo would take it now; null: the declaration, or the engine, does not say.</param>
/// <param name="SpendableReason">Why not; one of <see cref="Balances.SpendableReason"/>.</param>
internal sealed record BalanceView(
    string Code,
    long CardId,
    int? OdooCardId,
    string? Points,
    bool Negative,
    string? Warning,
    bool? Spendable,
    string? SpendableReason,
    string Status,
    string? Reason,
    DateTimeOffset? AsOf,
    double? LagSeconds,
    string? Position,
    string? Through
);

/// <inheritdoc cref="BalanceView"/>
/// <param name="Program">With <c>expand=program</c>, as of the same moment as the points; null: the engine does not have it.</param>
/// <param name="Partner">With <c>expand=partner</c>.</param>
internal sealed record CardView(
    string Code,
    long CardId,
    int? OdooCardId,
    string? Points,
    bool Negative,
    string? Warning,
    bool? Spendable,
    string? SpendableReason,
    DateOnly? ExpirationDate,
    bool? Active,
    CardProgram? Program,
    CardPartner? Partner,
    long? ProgramId,
    long? PartnerId,
    long? CompanyId,
    DateTimeOffset? CreatedAt,
    DateTimeOffset? UpdatedAt,
    long SyncVersion,
    string Status,
    string? Reason,
    DateTimeOffset? AsOf,
    double? LagSeconds,
    string? Position,
    string? Through
);

/// <param name="Results">In the order of the request: a balance, or the problem of that code.</param>
internal sealed record BatchView(IReadOnlyList<BatchItem> Results);

/// <param name="Code">As it was asked for.</param>
internal sealed record BatchItem(string? Code, BalanceView? Balance, System.Text.Json.Nodes.JsonObject? Problem);

internal sealed record CardsPage(IReadOnlyList<CardView> Cards, string? NextCursor);

/// <param name="PointsAmount">Decimal text.</param>
/// <param name="PointsBalance">Decimal text: Odoo's own number after this movement.</param>
internal sealed record HistoryItem(
    long HistoryId,
    int? OdooHistoryId,
    long? MoveId,
    string? PointsAmount,
    string? PointsBalance,
    DateTimeOffset? TransactionTime,
    string? Origin,
    long? MembershipProductId,
    long? StatusMembershipProductId,
    DateTimeOffset? CreatedAt,
    string? Position
);

/// <param name="NextCursor">Null: there is no older one.</param>
internal sealed record HistoryPage(
    string Code,
    long CardId,
    string Status,
    IReadOnlyList<HistoryItem> Items,
    string? NextCursor,
    DateTimeOffset? AsOf,
    double? LagSeconds,
    string? Position,
    string? Through
);

internal sealed record BatchRequest(IReadOnlyList<string?>? Codes);

/// <summary>A card with how fresh it is.</summary>
/// <param name="Through">Null: Odoo answered, and the engine did not say.</param>
internal readonly record struct FoundCard(
    CardRow Card,
    Freshness.Freshness Freshness,
    Core.Progress.AppliedThrough? Through,
    Spendable Spendable
)
{
    public BalanceView Balance =>
        new(
            Card.Code,
            Card.Id,
            Card.OdooId,
            Card.Points,
            Card.IsNegative,
            Card.Warning,
            Spendable.Now,
            Spendable.Reason,
            Card.Status,
            Card.Reason,
            Freshness.AsOf,
            Freshness.LagSeconds,
            Card.Position?.ToString(),
            Through?.ToString()
        );

    public CardView Whole =>
        new(
            Card.Code,
            Card.Id,
            Card.OdooId,
            Card.Points,
            Card.IsNegative,
            Card.Warning,
            Spendable.Now,
            Spendable.Reason,
            Card.Terms?.LastDay,
            !Card.Terms?.IsArchived,
            Card.Program,
            Card.Partner,
            Card.ProgramId,
            Card.PartnerId,
            Card.CompanyId,
            Card.CreatedAt,
            Card.UpdatedAt,
            Card.SyncVersion,
            Card.Status,
            Card.Reason,
            Freshness.AsOf,
            Freshness.LagSeconds,
            Card.Position?.ToString(),
            Through?.ToString()
        );
}
