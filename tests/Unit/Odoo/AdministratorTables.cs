using System.Globalization;
using System.Text.Json.Nodes;

namespace Cdc.Tests.Unit.Odoo;

/// <summary>
/// What an administrator's calls of an installation change: records by model, with the calls that it makes of them. Answers are of the form
/// that the recorded ones have.
/// </summary>
internal sealed class AdministratorTables
{
    private readonly Dictionary<string, SortedDictionary<long, JsonObject>> _models = new()
    {
        ["ir.model"] = [],
        ["ir.model.fields"] = [],
        ["ir.config_parameter"] = [],
        ["res.groups"] = [],
        ["ir.actions.server"] = [],
        ["res.users"] = [],
    };

    private long _lastId = 100;

    public AdministratorTables(bool hasHistory)
    {
        Add("ir.model", new() { ["model"] = "loyalty.card" }, CardModel);
        if (hasHistory)
            Add("ir.model", new() { ["model"] = "loyalty.history" }, HistoryModel);
        Add("res.groups", new() { ["name"] = "Sales" });
        Add("ir.config_parameter", new() { ["key"] = "database.uuid", ["value"] = "u" });
        Add(
            "ir.actions.server",
            new()
            {
                ["name"] = "Mine",
                ["model_id"] = CardModel,
                ["state"] = "code",
                ["code"] = "1",
            }
        );
        Add(
            "ir.model.fields",
            new()
            {
                ["model"] = "loyalty.card",
                ["name"] = "points",
                ["ttype"] = "float",
                ["state"] = "base",
            }
        );
    }

    public const long CardModel = 512;
    public const long HistoryModel = 513;

    /// <summary>Writes that were made, as MODEL/METHOD.</summary>
    public List<string> Changes { get; } = [];

    /// <summary>Fails the write with this number, from 0, before it is done.</summary>
    public int? FailsAt { get; set; }

    /// <summary>Does it, and loses its answer.</summary>
    public int? LosesAnswerOf { get; set; }

    public IReadOnlyCollection<JsonObject> Of(string model) => _models[model].Values;

    public long Add(string model, JsonObject values, long? id = null)
    {
        var record = (JsonObject)values.DeepClone();
        var key = id ?? ++_lastId;
        record["id"] = key;
        if (record["model_id"] is { } of && model == "ir.model.fields")
            record["model"] = _models["ir.model"][Id(of)]["model"]!.DeepClone();
        foreach (var field in (string[])["group_ids", "groups_id"])
            if (record[field] is JsonArray commands)
                record[field] = Groups([], commands);
        _models[model][key] = record;
        return key;
    }

    /// <summary>A node that was made here holds an int or a long, one that was read neither.</summary>
    public static long Id(JsonNode? node) => long.Parse(node!.ToJsonString(), CultureInfo.InvariantCulture);

    public PlayedAnswer Answer(PlayedCall call)
    {
        var (model, method) = (call.Name.Split('/')[0], call.Name.Split('/')[1]);
        if (method == "search_read")
            return Result(call, Search(_models[model].Values, call.Argument("domain", 0)!.AsArray()));
        var number = Changes.Count;
        if (number == FailsAt)
            return RecordedAnswer.Json2("create as bot");
        Changes.Add(call.Name);
        var result = Change(call, model, method);
        return number == LosesAnswerOf ? PlayedAnswer.Cut : Result(call, result);
    }

    private JsonNode Change(PlayedCall call, string model, string method)
    {
        if (method == "create")
            return new JsonArray([.. call.Argument("vals_list", 0)!.AsArray().Select(v => (JsonNode)Add(model, v!.AsObject()))]);
        foreach (var id in call.Argument("ids", 0)!.AsArray().Select(i => Id(i)))
            if (method == "unlink")
                Unlink(model, id);
            else
                Write(_models[model][id], call.Argument("vals", 1)!.AsObject());
        return true;
    }

    /// <summary>Odoo takes a group out of all that have it, and asks nobody.</summary>
    private void Unlink(string model, long id)
    {
        _models[model].Remove(id);
        if (model != "res.groups")
            return;
        foreach (var record in _models.Values.SelectMany(m => m.Values))
        foreach (var field in (string[])["group_ids", "groups_id"])
            if (record[field] is JsonArray groups)
                record[field] = new JsonArray([.. groups.Select(g => Id(g)).Where(g => g != id).Select(g => (JsonNode)g)]);
    }

    private static void Write(JsonObject record, JsonObject values)
    {
        foreach (var (name, value) in values)
            record[name] = name is "group_ids" or "groups_id"
                ? Groups(record[name] is JsonArray had ? [.. had.Select(g => Id(g))] : [], value!.AsArray())
                : value?.DeepClone();
    }

    private static JsonArray Groups(List<long> had, JsonArray commands)
    {
        foreach (var command in commands.Select(c => c!.AsArray()))
            switch (command[0]!.GetValue<int>())
            {
                case 6:
                    had = [.. command[2]!.AsArray().Select(g => Id(g))];
                    break;
                case 4:
                    had.Add(Id(command[1]));
                    break;
            }
        return new JsonArray([.. had.Distinct().Select(g => (JsonNode)g)]);
    }

    private static JsonArray Search(IEnumerable<JsonObject> records, JsonArray domain) =>
        new([.. records.Where(r => domain.All(term => Fits(r, term!.AsArray()))).Select(r => r.DeepClone())]);

    private static bool Fits(JsonObject record, JsonArray term)
    {
        var value = record[term[0]!.ToString()];
        return term[1]!.ToString() == "in"
            ? term[2]!.AsArray().Any(wanted => JsonNode.DeepEquals(wanted, value))
            : value?.ToJsonString() == term[2]!.ToJsonString();
    }

    private static PlayedAnswer Result(PlayedCall call, JsonNode result) =>
        PlayedAnswer.Json(
            call.IsRpc
                ? new JsonObject
                {
                    ["jsonrpc"] = "2.0",
                    ["id"] = call.Body!["id"]!.DeepClone(),
                    ["result"] = result,
                }.ToJsonString()
                : result.ToJsonString()
        );
}
