namespace Cdc.Reverse.Sending;

/// <summary>What became of a card's changes in one call.</summary>
/// <param name="AnsweredTo">Odoo has all up to this number; null: it has none of them.</param>
/// <param name="Refused">The change at which the card stops.</param>
/// <param name="Overtaken">
/// A void that never can come, and the number that Odoo's card has: what was given up came after all.
/// </param>
/// <param name="Error">Why; null: it does not stop.</param>
internal sealed record CardOutcome(long Card, long? AnsweredTo, Guid? Refused, string? Error, (Guid Void, long Number)? Overtaken = null);
