using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Odoo.Sequence;

namespace Cdc.Reverse.Sending;

/// <summary>What of the declaration's cards the way "sequence" can send.</summary>
/// <param name="Cards">The entity.</param>
/// <param name="Points">The field to which is added; null: points are not sent.</param>
/// <param name="Values">Fields that are written as they are.</param>
internal sealed record SentFields(EntityDeclaration Cards, ReverseField? Points, IReadOnlyList<ReverseField> Values)
{
    private const string PointsField = "points";

    /// <exception cref="CdcException">Configuration: something is declared that cannot be sent, or nothing is.</exception>
    public static SentFields Of(EntitySet entities)
    {
        if (entities.Cards is not { Reverse: { } reverse } cards)
            throw Wrong(
                "Nothing of the declaration flows back to Odoo.",
                "Give the card's entity a \"reverse\" (docs/declaration.md), then run 'cdc migrate'."
            );
        if (entities.All.FirstOrDefault(e => e is { Reverse.IsCard: false }) is { } other)
            throw Wrong(
                $"The declaration lets {other.Name} flow back to Odoo, and cdc sends changes of cards alone.",
                $"Take \"reverse\" out of {other.Name}. On Odoo 18 and 19 each change of points makes a row of the history there."
            );
        if (reverse.Way is not (null or "sequence"))
            throw Wrong(
                $"The way \"{reverse.Way}\" is not built: cdc sends by \"sequence\".",
                "Leave \"way\" out, or set it to \"sequence\"."
            );
        if (reverse.Number is null)
            throw Wrong(
                $"The declaration of {cards.Name} does not say where Odoo's cards have the number of the last change that they contain.",
                $"Add \"number\": \"{SequenceCard.NumberField}\" to its \"reverse\", after 'cdc reverse install' (docs/writing-back.md)."
            );
        var points = reverse.Fields.FirstOrDefault(f => f.Name == PointsField);
        if (reverse.Additive.Count != (points is null ? 0 : 1))
            throw Wrong(
                points is null
                    ? "Something is declared \"additive\", and the field points is not sent."
                    : "The field points must be made of one \"additive\" column: it is added to, and never written over.",
                "Declare \"additive\": [\"points\"] with the field points, as docs/writing-back.md shows it."
            );
        if (reverse.Fields.FirstOrDefault(f => f.Name != PointsField && !SequenceCard.Fields.Contains(f.Name)) is { } unknown)
            throw Wrong(
                $"The field {unknown.Name} cannot be sent by \"sequence\".",
                $"Take it out of \"fields\"; there may be: {PointsField}, {string.Join(", ", SequenceCard.Fields)}."
            );
        return new SentFields(cards, points, [.. reverse.Fields.Where(f => f.Name != PointsField)]);
    }

    private static CdcException Wrong(string message, string remedy) => new(FailureKind.Configuration, message, remedy);
}
