using System.Text.Json;

namespace Cdc.Expressions.Declaration;

/// <summary>
/// Makes one declaration of a file and of those that it includes. What the file says is added to what it includes: objects by their
/// properties, entities, columns and rules by their names. A property of <c>null</c> takes an included one away, and so does
/// <c>"remove": true</c> beside a name.
/// </summary>
internal sealed class IncludedFiles(Findings findings)
{
    private const string Include = "include";
    private const string Removal = "remove";
    private readonly List<string> _open = [];
    private readonly List<string> _parts = [];

    /// <summary>The preset that is read or included; null: none is.</summary>
    public string? Preset { get; private set; }

    /// <summary>Presets with engine tables of their own that are included.</summary>
    public IReadOnlyList<string> Parts => _parts;

    /// <param name="path">What the file's includes are relative to, and how messages name it.</param>
    /// <returns>Null: it is no JSON, which is reported.</returns>
    public LocatedJson? Read(string text, string path)
    {
        if (Parse(text, Path.GetFileName(path)) is not { } json)
            return null;
        if (json.Property(Include) is not { } include)
            return json;
        _open.Add(Path.GetFullPath(path));
        LocatedJson? all = null;
        foreach (var item in include.Shape == JsonShape.Array ? include.Items : [include])
            if (Included(item, path) is { } included)
                all = all is null ? included : Merge(all, included);
        _open.RemoveAt(_open.Count - 1);
        var own = new LocatedJson(json.Shape, json.Line) { Properties = [.. json.Properties.Where(p => p.Name != Include)] };
        return all is null ? own : Merge(all, own);
    }

    /// <summary>The file that a preset's name or a path stands for.</summary>
    public string Resolve(string written, string folder)
    {
        if (!Presets.IsName(written, folder))
            return Path.Combine(folder, written);
        // The outermost: what it includes itself is how it is made.
        if (_open.All(f => Path.GetDirectoryName(f) != Path.GetDirectoryName(Presets.PathOf(written))))
            Preset ??= written.StartsWith("odoo-", StringComparison.Ordinal) ? written : null;
        AddPart(written);
        return Presets.PathOf(written);
    }

    /// <summary>A preset that is read or included, by its name.</summary>
    public void AddPart(string preset)
    {
        if (Presets.MigrationsOf(preset) is not null && !_parts.Contains(preset))
            _parts.Add(preset);
    }

    private LocatedJson? Parse(string text, string file)
    {
        try
        {
            return LocatedJson.Parse(text, file);
        }
        catch (JsonException failure)
        {
            findings.Add(
                "declaration-json",
                new FileLine(file, (int)(failure.LineNumber ?? 0) + 1),
                $"not JSON: {Reason(failure)}",
                "Correct the syntax; comments and trailing commas are allowed."
            );
            return null;
        }
    }

    /// <summary>The parser's own words, without the place, which is said already, and without the names of its parameters.</summary>
    private static string Reason(JsonException failure) => failure.Message.Split(" LineNumber")[0].Split(", when isFinalBlock")[0];

    private LocatedJson? Included(LocatedJson include, string from)
    {
        if (include is not { Shape: JsonShape.String, Text.Length: > 0 })
        {
            Wrong(include, "\"include\" must be a preset's name or the path of a declaration.", "Such as \"include\": \"odoo-18\".");
            return null;
        }
        var path = Resolve(include.Text, Path.GetDirectoryName(from) ?? "");
        if (_open.Contains(Path.GetFullPath(path)))
        {
            Wrong(include, $"{include.Text} includes itself.", "Take one of the includes out.");
            return null;
        }
        try
        {
            return Read(File.ReadAllText(path), path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Wrong(include, $"\"{include.Text}\" cannot be read: {failure.Message}", EntityFile.Remedy(include.Text));
            return null;
        }
    }

    private LocatedJson Merge(LocatedJson included, LocatedJson own) =>
        (included.Shape, own.Shape) switch
        {
            (JsonShape.Object, JsonShape.Object) => MergeObjects(included, own),
            (JsonShape.Array, JsonShape.Array) when included.Items.Concat(own.Items).All(i => NameOf(i) is not null) => MergeNamed(
                included,
                own
            ),
            _ => own,
        };

    private LocatedJson MergeObjects(LocatedJson included, LocatedJson own)
    {
        List<(string Name, FileLine Line, LocatedJson Value)> merged = [.. included.Properties];
        // A name that a file has twice stays there twice: then it is reported.
        var met = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in own.Properties)
        {
            var at = met.Add(property.Name) ? merged.FindIndex(p => p.Name == property.Name) : -1;
            if (at < 0)
                merged.Add(property);
            else if (property.Value.Shape == JsonShape.Null)
                merged.RemoveAt(at);
            else
                merged[at] = property with { Value = Merge(merged[at].Value, property.Value) };
        }
        return new LocatedJson(JsonShape.Object, own.Line) { Properties = merged };
    }

    private LocatedJson MergeNamed(LocatedJson included, LocatedJson own)
    {
        List<LocatedJson> merged = [.. included.Items];
        var met = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in own.Items)
        {
            var name = NameOf(item)!;
            var at = met.Add(name) ? merged.FindIndex(i => NameOf(i) == name) : -1;
            if (item.Property(Removal) is { Text: "true" })
            {
                if (at >= 0)
                    merged.RemoveAt(at);
                else
                    Wrong(item, $"there is no included \"{name}\" that could be removed.", "Leave it out.");
            }
            else if (at < 0)
                merged.Add(item);
            else
                merged[at] = MergeObjects(merged[at], item);
        }
        return new LocatedJson(JsonShape.Array, own.Line) { Items = merged };
    }

    private static string? NameOf(LocatedJson item) =>
        item.Shape == JsonShape.Object && item.Property("name") is { Shape: JsonShape.String } name ? name.Text : null;

    private void Wrong(LocatedJson at, string message, string remedy) => findings.Add("declaration-include", at.Line, message, remedy);
}
