using Cdc.Core.Entities;

namespace Cdc.Expressions.Declaration;

/// <summary>Takes known properties out of one JSON object, and reports what is missing, of another shape, twice, or not known.</summary>
internal sealed class JsonObjectReader
{
    private readonly Dictionary<string, LocatedJson> _values = new(StringComparer.Ordinal);
    private readonly string _what;
    private readonly Findings _findings;

    /// <param name="what">Names the object in messages, such as <c>card</c>.</param>
    public JsonObjectReader(LocatedJson json, string what, Findings findings, params string[] known)
    {
        (_what, _findings, Line) = (what, findings, json.Line);
        if (json.Shape != JsonShape.Object)
        {
            findings.Add("declaration-shape", json.Line, $"{what} must be an object.", $"Write {{ ... }} with {string.Join(", ", known)}.");
            IsObject = false;
            return;
        }
        foreach (var (name, line, value) in json.Properties)
            Take(name, line, value, known);
    }

    public bool IsObject { get; } = true;
    public FileLine Line { get; }

    public LocatedJson? Optional(string name) => _values.GetValueOrDefault(name);

    public LocatedJson? Required(string name, JsonShape shape)
    {
        if (!IsObject)
            return null;
        if (!_values.TryGetValue(name, out var value))
        {
            _findings.Add("declaration-missing", Line, $"{_what} has no \"{name}\".", $"Add \"{name}\" ({Words(shape)}).");
            return null;
        }
        return OfShape(value, name, shape);
    }

    /// <summary>A text that is not empty; an empty one after it was reported.</summary>
    public string Text(string name) => NotEmpty(Required(name, JsonShape.String), name);

    public string Text(string name, string otherwise) =>
        _values.TryGetValue(name, out var value) ? NotEmpty(OfShape(value, name, JsonShape.String), name) : otherwise;

    public bool Flag(string name) => _values.TryGetValue(name, out var value) && OfShape(value, name, JsonShape.Boolean)?.Text == "true";

    public FileLine LineOf(string name) => _values.TryGetValue(name, out var value) ? value.Line : Line;

    private void Take(string name, FileLine line, LocatedJson value, string[] known)
    {
        if (!known.Contains(name))
            _findings.Add(
                "declaration-unknown",
                line,
                $"{_what} has an unknown property \"{name}\".",
                NearestName.Remedy(name, known, "Known are")
            );
        else if (!_values.TryAdd(name, value))
            _findings.Add("declaration-duplicate", line, $"{_what} has \"{name}\" twice.", "Keep one of them.");
    }

    private LocatedJson? OfShape(LocatedJson value, string name, JsonShape shape)
    {
        if (value.Shape == shape)
            return value;
        _findings.Add(
            "declaration-shape",
            value.Line,
            $"{_what}: \"{name}\" must be {Words(shape)}.",
            $"Replace the {value.Shape.ToString().ToLowerInvariant()}."
        );
        return null;
    }

    private string NotEmpty(LocatedJson? value, string name)
    {
        if (value is { Text: "" })
            _findings.Add("declaration-shape", value.Line, $"{_what}: \"{name}\" is empty.", "Write a text.");
        return value?.Text ?? "";
    }

    private static string Words(JsonShape shape) =>
        shape switch
        {
            JsonShape.Object => "an object { ... }",
            JsonShape.Array => "an array [ ... ]",
            JsonShape.String => "a text \"...\"",
            _ => "true or false",
        };
}
