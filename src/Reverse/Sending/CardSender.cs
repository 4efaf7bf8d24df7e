using Cdc.Core.Failures;
using Cdc.Odoo.Failures;
using Cdc.Odoo.Sequence;

namespace Cdc.Reverse.Sending;

/// <summary>
/// Sends changes of cards, and finds the one that Odoo refuses: a refusal undoes the whole call, so half of it is sent at a time until it
/// stands alone.
/// </summary>
/// <param name="historyText">Of the row of Odoo's history for each change of points; empty: none.</param>
internal sealed class CardSender(SequenceCalls calls, string historyText)
{
    /// <returns>One outcome for each card that got an answer.</returns>
    /// <exception cref="OdooException">Nothing is known of the others, which are to be sent again: transient, or systemic.</exception>
    public async Task<IReadOnlyList<CardOutcome>> SendAsync(IReadOnlyList<CardChanges> cards, CancellationToken ct)
    {
        var outcomes = new List<CardOutcome>();
        await SendAsync(cards, outcomes, ct);
        return outcomes;
    }

    private async Task SendAsync(IReadOnlyList<CardChanges> cards, List<CardOutcome> outcomes, CancellationToken ct)
    {
        try
        {
            var results = await calls.ApplyAsync([.. cards.Select(ToCall)], ct);
            CrashPoint.Hit("reverse answered");
            outcomes.AddRange(cards.Zip(results, AnswerReader.Read));
        }
        catch (OdooException e) when (e.Class == FailureClass.Refused)
        {
            await InHalvesAsync(cards, e, outcomes, ct);
        }
    }

    private async Task InHalvesAsync(
        IReadOnlyList<CardChanges> cards,
        OdooException refused,
        List<CardOutcome> outcomes,
        CancellationToken ct
    )
    {
        if (cards.Count > 1)
        {
            var half = cards.Count / 2;
            await SendAsync([.. cards.Take(half)], outcomes, ct);
            await SendAsync([.. cards.Skip(half)], outcomes, ct);
            return;
        }
        var card = cards[0];
        if (card.Changes.Count == 1)
        {
            outcomes.Add(new CardOutcome(card.Card, null, card.Changes[0].Uuid, refused.Message));
            return;
        }
        var first = card.Changes.Count / 2;
        await SendAsync([card with { Changes = [.. card.Changes.Take(first)] }], outcomes, ct);
        // What comes behind a change that stopped the card would only be a gap.
        if (outcomes[^1].Error is null)
            await SendAsync([card with { Changes = [.. card.Changes.Skip(first)] }], outcomes, ct);
    }

    private SequenceCard ToCall(CardChanges card) => SequenceCard.Of(card.Card, [.. card.Changes.Select(ToCall)]);

    private SequenceChange ToCall(OwnChange change) =>
        new(change.After, change.Number)
        {
            Delta = change.Delta,
            Values = change.Values,
            Text = historyText.Length > 0 && change.Delta != 0 ? historyText : null,
            Reference = change.Uuid,
        };
}
