using System.Globalization;
using Cdc.Odoo.Sequence;

namespace Cdc.Reverse.Sending;

/// <summary>
/// Reads Odoo's answer for one card. What is certain is that a change was applied, or lies at or below the card's number there; everything
/// else stops the card, and a person looks.
/// </summary>
internal static class AnswerReader
{
    public static CardOutcome Read(CardChanges sent, SequenceResult result)
    {
        long? answered = null;
        foreach (var (change, state) in sent.Changes.Zip(result.Changes))
        {
            if (change.IsVoid && state == SequenceChangeState.Gap && result.Number > change.After)
                return new CardOutcome(sent.Card, answered, null, null, (change.Uuid, result.Number));
            if (WhyNot(sent, change, state, result) is { } why)
                return new CardOutcome(sent.Card, answered, change.Uuid, why);
            answered = change.Number;
        }
        return new CardOutcome(sent.Card, answered, null, null);
    }

    private static string? WhyNot(CardChanges sent, OwnChange change, SequenceChangeState state, SequenceResult result) =>
        state switch
        {
            SequenceChangeState.Applied => null,
            // Nobody but cdc writes the number. One that was never given says nothing of what the card contains.
            SequenceChangeState.Past when result.Number > sent.Highest =>
                $"Odoo's card has the number {Text(result.Number)}, above every number of the engine's: somebody has changed x_cdc_seq",
            SequenceChangeState.Past => null,
            SequenceChangeState.Gap when result.Number < change.After =>
                $"Odoo's card has the number {Text(result.Number)}, and should have {Text(change.After)}: it was set back, or Odoo was restored",
            SequenceChangeState.Gap =>
                $"Odoo's card has the number {Text(result.Number)}, which is not the one before this change ({Text(change.After)})",
            SequenceChangeState.Archived => "the card is archived in Odoo, perhaps because its contact was merged into another",
            SequenceChangeState.Refused => "Odoo does not take an amount of 10^12 or more",
            SequenceChangeState.NoCard => "Odoo has no such card any more",
            _ => $"Odoo answered {state}",
        };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
