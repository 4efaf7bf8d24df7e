using System.Text.Json.Nodes;

namespace Cdc.Odoo.Sequence;

/// <summary>A field that the way "sequence" needs.</summary>
/// <param name="Type">Odoo's: float is double precision, which holds numbers below 2^53 exactly.</param>
internal sealed record SequenceField(string Model, string Name, string Type, string Label, bool IsIndexed)
{
    private static readonly SequenceField Number = new(SequenceNames.CardModel, SequenceNames.NumberField, "float", "CDC sequence", false);

    public static IReadOnlyList<SequenceField> Of(bool hasHistory) =>
        hasHistory
            ? [Number, Reference(SequenceNames.CardModel), Reference(SequenceNames.HistoryModel)]
            : [Number, Reference(SequenceNames.CardModel)];

    /// <summary>Not copied: the duplicate of a card would have its number, and its name.</summary>
    public JsonObject Values(long model)
    {
        var values = new JsonObject
        {
            ["state"] = "manual",
            ["copied"] = false,
            ["readonly"] = true,
            ["model_id"] = model,
            ["name"] = Name,
            ["field_description"] = Label,
            ["ttype"] = Type,
        };
        if (IsIndexed)
            values["index"] = true;
        return values;
    }

    private static SequenceField Reference(string model) => new(model, SequenceNames.ReferenceField, "char", "CDC reference", true);
}
