using System.Text.Json.Nodes;

namespace Cdc.Reverse.Sending;

/// <summary>One of the engine's own changes that is to reach Odoo.</summary>
/// <param name="Uuid">Its name, also in Odoo.</param>
/// <param name="Number">Its place in the order of its card.</param>
/// <param name="After">The number before it; 0: none.</param>
/// <param name="Delta">Added to the points.</param>
/// <param name="Values">Of other fields, by Odoo's names; null: none.</param>
/// <param name="CannotBeSent">Why; null: it can.</param>
/// <param name="IsVoid">It stands for one that is given up.</param>
internal sealed record OwnChange(
    Guid Uuid,
    long Number,
    long After,
    double Delta,
    JsonObject? Values,
    string? CannotBeSent,
    bool IsVoid = false
);

/// <summary>Own changes of one card, in their order.</summary>
/// <param name="Card">In the engine, and in Odoo.</param>
/// <param name="Highest">The number of the card's last own change.</param>
internal sealed record CardChanges(long Card, long Highest, IReadOnlyList<OwnChange> Changes);
