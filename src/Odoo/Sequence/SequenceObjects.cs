using System.Text.Json.Nodes;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;

namespace Cdc.Odoo.Sequence;

/// <summary>What of the way "sequence" is in this Odoo. An administrator's key reads it; others may not.</summary>
internal sealed record SequenceObjects
{
    public required OdooVersion Version { get; init; }

    /// <summary>Ids of the models, of those that there are.</summary>
    public required IReadOnlyDictionary<string, long> Models { get; init; }

    /// <summary>Fields of our names.</summary>
    public required IReadOnlyList<OdooRecord> Fields { get; init; }

    public required IReadOnlyList<OdooRecord> Parameters { get; init; }

    /// <summary>More than one where an answer was lost: Odoo takes the same name twice.</summary>
    public required IReadOnlyList<OdooRecord> Groups { get; init; }

    /// <summary>Oldest first; the same.</summary>
    public required IReadOnlyList<OdooRecord> Actions { get; init; }

    public IReadOnlyList<SequenceField> Wanted => SequenceField.Of(Models.ContainsKey(SequenceNames.HistoryModel));

    public OdooRecord? FieldOf(SequenceField wanted) =>
        Fields.Where(f => f.Text("model") == wanted.Model && f.Text("name") == wanted.Name).Select(f => (OdooRecord?)f).FirstOrDefault();

    /// <summary>Made by hand or by us, of our type: another of the same name is somebody else's.</summary>
    public static bool IsOurs(SequenceField wanted, OdooRecord field) =>
        field.Text("state") == "manual" && field.Text("ttype") == wanted.Type;

    /// <summary>The group of our name that the action has; else the oldest.</summary>
    public long? Group
    {
        get
        {
            var ids = Groups.Select(g => g.Id).Order().ToList();
            var used = Actions.SelectMany(a => a.References(Version.GroupsField)).Where(ids.Contains).Order().ToList();
            return used.Count > 0 ? used[0]
                : ids.Count > 0 ? ids[0]
                : null;
        }
    }

    public static async Task<SequenceObjects> ReadAsync(OdooClient client, CancellationToken ct)
    {
        var models = (
            await client.SearchReadAsync("ir.model", [In("model", SequenceNames.CardModel, SequenceNames.HistoryModel)], ["model"], ct: ct)
        ).ToDictionary(m => m.Text("model")!, m => m.Id);
        if (!models.TryGetValue(SequenceNames.CardModel, out var card))
            throw NoLoyalty();
        return new SequenceObjects
        {
            Version = client.Version,
            Models = models,
            Fields = await client.SearchReadAsync(
                "ir.model.fields",
                [In("model", [.. models.Keys]), In("name", SequenceNames.NumberField, SequenceNames.ReferenceField)],
                ["name", "model", "ttype", "state", "copied", "index"],
                ct: ct
            ),
            Parameters = await client.SearchReadAsync(
                "ir.config_parameter",
                [Is("key", SequenceNames.Parameter)],
                ["key", "value"],
                ct: ct
            ),
            Groups = await client.SearchReadAsync("res.groups", [Is("name", SequenceNames.Group)], ["name"], ct: ct),
            Actions =
            [
                .. (
                    await client.SearchReadAsync(
                        "ir.actions.server",
                        [Is("name", SequenceNames.Action), Is("model_id", card), Is("state", "code")],
                        ["name", "code", client.Version.GroupsField],
                        ct: ct
                    )
                ).OrderBy(a => a.Id),
            ],
        };
    }

    private static JsonArray In(string field, params string[] values) => [field, "in", new JsonArray([.. values.Select(v => (JsonNode)v)])];

    internal static JsonArray Is(string field, JsonNode value) => [field, "=", value];

    private static OdooException NoLoyalty() =>
        new(
            new OdooFailure(
                "odoo-schema",
                FailureClass.Systemic,
                "has no loyalty cards: its app Coupons & Loyalty (module loyalty) is not installed in this database.",
                Remedies.Schema
            ),
            new CallFacts("ir.model/search_read", mayBeRepeated: true)
        );
}
