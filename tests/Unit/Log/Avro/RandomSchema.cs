using System.Text.Json.Nodes;

namespace Cdc.Tests.Unit.Log.Avro;

/// <summary>Schemas of every kind, and others that read (or just do not read) what they wrote.</summary>
internal sealed class RandomSchema(Random random)
{
    private static readonly string[] Primitives = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    private int _names;

    /// <param name="depth">How deep types may contain others.</param>
    public JsonNode Next(int depth, bool inUnion = false) =>
        random.Next(
            depth <= 0 ? 3
            : inUnion ? 7
            : 8
        ) switch
        {
            0 or 1 => Primitive(),
            2 => random.Next(2) == 0 ? Enum() : Fixed(),
            3 => new JsonObject { ["type"] = "array", ["items"] = Next(depth - 1) },
            4 => new JsonObject { ["type"] = "map", ["values"] = Next(depth - 1) },
            5 or 6 => Record(depth - 1),
            _ => Union(depth - 1),
        };

    public JsonNode Record(int depth) =>
        new JsonObject
        {
            ["type"] = "record",
            ["name"] = Name("R"),
            ["namespace"] = random.Next(3) == 0 ? "n.m" : null,
            ["fields"] = new JsonArray([.. Enumerable.Range(0, random.Next(5)).Select(_ => Field(depth))]),
        }.WithoutNulls();

    /// <summary>Another version of the schema: each of its types may be promoted, and each of its parts may come, go, or change place.</summary>
    public JsonNode Changed(JsonNode schema, bool inUnion = false)
    {
        if (schema is JsonValue)
            return Promoted((string)schema!, inUnion);
        if (schema is JsonArray union)
            return ChangedUnion(union);
        var changed = (JsonObject)schema.DeepClone();
        switch ((string)changed["type"]!)
        {
            case "record":
                changed["fields"] = new JsonArray([.. ChangedFields((JsonArray)schema["fields"]!)]);
                break;
            case "array":
                changed["items"] = Changed(schema["items"]!);
                break;
            case "map":
                changed["values"] = Changed(schema["values"]!);
                break;
            case "enum":
                var symbols = ((JsonArray)schema["symbols"]!).Select(s => (string)s!).ToList();
                if (random.Next(3) == 0 && symbols.Count > 1)
                    symbols.RemoveAt(random.Next(symbols.Count));
                if (random.Next(3) == 0)
                    symbols.Insert(random.Next(symbols.Count), "ADDED");
                changed["symbols"] = new JsonArray([.. symbols.Select(s => (JsonNode)s)]);
                break;
            case "fixed" when random.Next(8) == 0:
                changed["size"] = (int)schema["size"]! + 1;
                break;
        }
        return !inUnion && random.Next(6) == 0 ? new JsonArray("null", changed) : changed;
    }

    private JsonNode Promoted(string primitive, bool inUnion)
    {
        var promoted =
            random.Next(4) != 0
                ? primitive
                : primitive switch
                {
                    "int" => Pick("long", "float", "double", "boolean"),
                    "long" => Pick("float", "double", "int"),
                    "float" => Pick("double", "long"),
                    _ => primitive,
                };
        return !inUnion && promoted != "null" && random.Next(6) == 0 ? new JsonArray("null", promoted) : promoted;
    }

    private JsonArray ChangedUnion(JsonArray union)
    {
        var branches = union.Select(branch => Changed(branch!, inUnion: true)).ToList();
        if (random.Next(4) == 0 && branches.Count > 1)
            branches.RemoveAt(random.Next(branches.Count));
        if (random.Next(3) == 0)
            branches.Add(Pick("null", "int", "double", "boolean"));
        if (random.Next(3) == 0)
            branches.Reverse();
        return new JsonArray([.. branches.DistinctBy(Kind)]);
    }

    private List<JsonObject> ChangedFields(JsonArray fields)
    {
        var changed = fields
            .Select(field =>
            {
                var copy = (JsonObject)field!.DeepClone();
                copy["type"] = Changed(field["type"]!);
                return copy;
            })
            .ToList();
        if (random.Next(3) == 0 && changed.Count > 0)
            changed.RemoveAt(random.Next(changed.Count));
        if (random.Next(2) == 0)
            changed.Insert(random.Next(changed.Count + 1), Added());
        if (random.Next(3) == 0)
            changed.Reverse();
        return changed;
    }

    private JsonObject Added()
    {
        var (type, value) = random.Next(7) switch
        {
            0 => (JsonNode.Parse("\"int\"")!, JsonNode.Parse("7")),
            1 => (JsonNode.Parse("\"string\"")!, JsonNode.Parse("\"äb\"")),
            2 => (JsonNode.Parse("""["null","string"]""")!, null),
            3 => (JsonNode.Parse("""["double","null"]""")!, JsonNode.Parse("0.5")),
            4 => (JsonNode.Parse("""{"type":"array","items":"long"}""")!, JsonNode.Parse("[1,2]")),
            5 => (JsonNode.Parse("""{"type":"map","values":"boolean"}""")!, JsonNode.Parse("""{"k":true}""")),
            _ => (JsonNode.Parse("\"long\"")!, JsonNode.Parse("-9007199254740993")),
        };
        JsonObject field = new() { ["name"] = Name("added"), ["type"] = type };
        // Without a default nothing is readable.
        if (random.Next(12) != 0)
            field["default"] = value;
        return field;
    }

    private JsonObject Field(int depth) => new() { ["name"] = Name("f"), ["type"] = Next(depth) };

    /// <summary>
    /// Branches that a value tells apart by itself: one of text, bytes, enum and fixed. And Apache.Avro does not read text as bytes, nor
    /// bytes as text, as the specification has it.
    /// </summary>
    private JsonArray Union(int depth)
    {
        var branches = Enumerable.Range(0, random.Next(1, 5)).Select(_ => Next(depth, inUnion: true)).DistinctBy(Kind).ToList();
        return new JsonArray([.. branches]);
    }

    private static string Kind(JsonNode branch) =>
        branch is JsonValue ? Alike((string)branch!)
        : (string)branch["type"]! == "record" ? (string)branch["name"]!
        : Alike((string)branch["type"]!);

    private static string Alike(string kind) =>
        kind switch
        {
            "string" or "bytes" or "enum" or "fixed" => "text",
            _ => kind,
        };

    private JsonObject Enum() =>
        new()
        {
            ["type"] = "enum",
            ["name"] = Name("E"),
            ["symbols"] = new JsonArray("A", "B", "C"),
        };

    private JsonObject Fixed() =>
        new()
        {
            ["type"] = "fixed",
            ["name"] = Name("F"),
            ["size"] = random.Next(1, 9),
        };

    private JsonNode Primitive() => Pick(Primitives);

    private string Name(string prefix) => $"{prefix}{++_names}";

    private T Pick<T>(params T[] values) => values[random.Next(values.Length)];
}

internal static class JsonParts
{
    public static JsonObject WithoutNulls(this JsonObject node)
    {
        foreach (var empty in node.Where(p => p.Value is null).Select(p => p.Key).ToList())
            node.Remove(empty);
        return node;
    }
}
