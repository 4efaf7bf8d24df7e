using Cdc.Core.Entities;

namespace Cdc.Api.Balances;

/// <summary>
/// What of the declaration balances are made of. A declaration without it is no error: then there are no such answers, and everything by
/// which the pipeline is watched is served all the same.
/// </summary>
/// <param name="Column">The card's column that is looked up, and announced.</param>
/// <param name="History">Null: none is declared, and no card has a history.</param>
internal sealed record ServedCards(EntityDeclaration Card, string Column, EntityDeclaration? History)
{
    /// <summary>Null: there is no entity card, or it declares no column in "notify".</summary>
    public static ServedCards? Of(EntitySet entities) =>
        entities.Find("card") is { NotifyColumn: { } column } card ? new ServedCards(card, column, entities.Find("history")) : null;
}
