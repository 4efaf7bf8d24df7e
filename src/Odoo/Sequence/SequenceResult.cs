namespace Cdc.Odoo.Sequence;

public enum SequenceCardState
{
    /// <summary>It was there.</summary>
    Known,
    Created,

    /// <summary>Not there (any more): deleted by somebody. It is never made again.</summary>
    NoCard,
}

public enum SequenceChangeState
{
    Applied,

    /// <summary>The card's number is not below this one: it was applied before, or its place was passed.</summary>
    Past,

    /// <summary>What should come before it is missing.</summary>
    Gap,

    /// <summary>The card is archived, perhaps because its points went to another one (a merge).</summary>
    Archived,

    /// <summary>Its delta is 10^12 or more, or no number.</summary>
    Refused,
    NoCard,
}

/// <summary>What became of one card's changes.</summary>
/// <param name="Card">Odoo's id; 0: none.</param>
/// <param name="Number">
/// The card's own after the call; 0: it has none. Lower than one seen before: the card stops, somebody set it back.
/// </param>
/// <param name="Points">After the call; may be NaN where somebody wrote that.</param>
/// <param name="Changes">One for each that was sent.</param>
public sealed record SequenceResult(
    long Card,
    SequenceCardState State,
    long Number,
    double Points,
    bool IsActive,
    IReadOnlyList<SequenceChangeState> Changes
);
