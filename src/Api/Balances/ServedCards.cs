using Cdc.Core.Entities;

namespace Cdc.Api.Balances;

/// <summary>
/// What of the declaration balances are made of. A declaration without it is no error: then there are no such answers, and everything by
/// which the pipeline is watched is served all the same.
/// </summary>
/// <param name="Column">The card's column that is looked up, and announced: its code, or a form of it that several cards may share.</param>
/// <param name="History">Null: none is declared, and no card has a history.</param>
internal sealed record ServedCards(EntityDeclaration Card, string Column, EntityDeclaration? History)
{
    /// <summary>The program of a card, which has a say in whether it can be spent; null: none is declared.</summary>
    public EntityDeclaration? Program { get; init; }

    /// <summary>The contact who holds a card; null: none is declared.</summary>
    public EntityDeclaration? Partner { get; init; }

    /// <summary>What a card's points are, where they are no column of it; null: they are, or are not declared.</summary>
    public AggregateDeclaration? Sum =>
        Card.ServedColumn("points") is null && History?.Aggregate is { } aggregate && aggregate.By == History.ServedColumn("card")
            ? aggregate
            : null;

    /// <summary>Null: none serves as card, or it declares no column in "notify".</summary>
    public static ServedCards? Of(EntitySet entities) =>
        entities.Serving(ServedRole.Card) is { NotifyColumn: { } column } card && card.ServedColumn("code") is not null
            ? new ServedCards(card, column, HistoryOf(entities))
            {
                Program = entities.Serving(ServedRole.Program),
                Partner = entities.Serving(ServedRole.Partner),
            }
            : null;

    /// <summary>One whose rows say of which card they are.</summary>
    private static EntityDeclaration? HistoryOf(EntitySet entities) =>
        entities.Serving(ServedRole.History) is { } history && history.ServedColumn("card") is not null ? history : null;
}
