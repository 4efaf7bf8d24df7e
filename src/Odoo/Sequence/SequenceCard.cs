using System.Text.Json.Nodes;
using Cdc.Odoo.Calls;

namespace Cdc.Odoo.Sequence;

/// <summary>The own changes of one card, in their order. A call has each card once.</summary>
public sealed record SequenceCard
{
    /// <summary>What an own change may set. Others are ignored by the action; here they are an error.</summary>
    public static IReadOnlyList<string> Fields { get; } = ["program_id", "partner_id", "code", "expiration_date", "active"];

    private SequenceCard() { }

    public required IReadOnlyList<SequenceChange> Changes { get; init; }

    /// <summary>Odoo's id; null for a card that the engine made.</summary>
    public long? Card { get; private init; }

    public Guid? Reference { get; private init; }

    /// <summary>Its values where Odoo has it not yet.</summary>
    public JsonObject? Create { get; private init; }

    /// <summary>
    /// True: changed also where it is archived (from 18 on), as after a merge of contacts, when nobody would see the points.
    /// </summary>
    public bool EvenArchived { get; init; }

    public static SequenceCard Of(long card, IReadOnlyList<SequenceChange> changes)
    {
        OdooId.Check(card);
        return new() { Card = card, Changes = changes };
    }

    /// <summary>Created once, however often it is sent; one that was deleted in Odoo is not made again.</summary>
    public static SequenceCard Newborn(Guid reference, JsonObject values, IReadOnlyList<SequenceChange> changes) =>
        new()
        {
            Reference = reference,
            Create = Allowed(values),
            Changes = changes,
        };

    internal static JsonObject Allowed(JsonObject values)
    {
        if (values.Select(v => v.Key).Except(Fields).FirstOrDefault() is { } other)
            throw new ArgumentException($"The action does not write {other}.", nameof(values));
        return (JsonObject)values.DeepClone();
    }

    internal JsonObject ToJson()
    {
        var json = new JsonObject();
        if (Card is { } card)
            json["card"] = card;
        if (Reference is { } reference)
            json["ref"] = reference.ToString("D");
        if (Create is not null)
            json["create"] = Create.DeepClone();
        json["changes"] = new JsonArray([.. Changes.Select(c => (JsonNode)c.ToJson())]);
        if (EvenArchived)
            json["archived"] = true;
        return json;
    }
}
