using System.Text.Json.Nodes;

namespace Cdc.Odoo.Sequence;

/// <summary>
/// One own change of a card: applied if the card's number is <paramref name="After"/>, and then the card has <paramref name="Number"/>.
/// </summary>
/// <param name="After">0: the card has none yet.</param>
public sealed record SequenceChange(long After, long Number)
{
    /// <summary>Added to the points; 0 with nothing else is a void, which only moves the number.</summary>
    public double Delta { get; init; }

    /// <summary>Of <see cref="SequenceCard.Fields"/>.</summary>
    public JsonObject? Values { get; init; }

    /// <summary>For the row of Odoo's history (18 and later); null: none is made.</summary>
    public string? Text { get; init; }

    /// <summary>The own change's name in that row.</summary>
    public Guid? Reference { get; init; }

    internal JsonObject ToJson()
    {
        // Beyond them a double does not hold each whole number, and JSON has no NaN. Above 10^12 the action itself refuses.
        if (After < 0 || Number <= After || Number >= 1L << 53)
            throw new ArgumentException($"{Number} after {After} is no order of numbers below 2^53.");
        if (!double.IsFinite(Delta))
            throw new ArgumentException("A change of points must be a number.");
        var json = new JsonObject
        {
            ["after"] = After,
            ["seq"] = Number,
            ["delta"] = Delta,
        };
        if (Values is not null)
            json["values"] = SequenceCard.Allowed(Values);
        if (Text is not null)
            json["text"] = Text;
        if (Reference is { } reference)
            json["ref"] = reference.ToString("D");
        return json;
    }
}
