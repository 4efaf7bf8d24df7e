using Cdc.Tests.Support.Odoo.Python;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <param name="Field">Of the model that the value is for.</param>
/// <param name="Sub">How a relation is named: <c>.id</c>, <c>id</c>, or by its name.</param>
internal sealed record LoadValue(string Field, string? Sub, object? Value)
{
    public bool IsEmpty => Value is null or false or "";

    public string Text => Value as string ?? PyRepr.Of(Value);
}

/// <summary>A record below another.</summary>
internal sealed record LoadChild(string? ExternalId, long? Id, IReadOnlyList<LoadValue> Values);

/// <summary>One record of an import: a row, and the rows below it that have only children.</summary>
internal sealed record LoadRow(long Record, string? ExternalId, long? Id, IReadOnlyList<LoadValue> Values)
{
    private long _last = Record;

    /// <summary>By the field that leads to them.</summary>
    public Dictionary<string, List<LoadChild>> Children { get; } = [];

    public PyDict Range() => new() { ["from"] = Record, ["to"] = _last };

    public static IReadOnlyList<LoadRow> Of(IReadOnlyList<string> fields, IReadOnlyList<List<object?>> data)
    {
        var rows = new List<LoadRow>();
        var paths = fields.Select(f => f.Split('/')).ToList();
        // A path into a relation to many has a field behind the slash, one to a single record only id or .id.
        var below = paths.Where(IsBelow).Select(p => p[0]).ToHashSet();
        for (var i = 0; i < data.Count; i++)
        {
            var cells = paths.Zip(data[i]).ToList();
            var own = cells.Where(c => !below.Contains(c.First[0])).ToList();
            var row = Row(i, own);
            if (rows.Count > 0 && row.ExternalId is null && row.Id is null && row.Values.All(v => v.IsEmpty))
                row = rows[^1];
            else
                rows.Add(row);
            row._last = i;
            foreach (var field in below)
                row.AddChild(field, [.. cells.Where(c => c.First[0] == field).Select(c => (c.First[1..], c.Second))]);
        }
        return rows;
    }

    private void AddChild(string field, List<(string[] Path, object? Value)> cells)
    {
        var child = Row(0, cells);
        if (child.ExternalId is null && child.Id is null && child.Values.All(v => v.IsEmpty))
            return;
        if (!Children.TryGetValue(field, out var children))
            Children[field] = children = [];
        children.Add(new LoadChild(child.ExternalId, child.Id, child.Values));
    }

    private static bool IsBelow(string[] path) => path is [_, not ("id" or ".id")] or [_, _, _];

    private static LoadRow Row(long number, IReadOnlyList<(string[] Path, object? Value)> cells)
    {
        string? externalId = null;
        long? id = null;
        var values = new List<LoadValue>();
        foreach (var (path, value) in cells)
            if (path is ["id"])
                externalId = value as string is { Length: > 0 } text ? text : null;
            else if (path is [".id"])
                id =
                    value is long whole ? whole
                    : long.TryParse(value as string, out var parsed) ? parsed
                    : null;
            else
                values.Add(new LoadValue(path[0], path.Length > 1 ? path[1] : null, value));
        return new LoadRow(number, externalId, id, values);
    }
}
