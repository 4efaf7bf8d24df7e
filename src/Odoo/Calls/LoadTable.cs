using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cdc.Odoo.Calls;

/// <summary>
/// Rows for <c>load</c>, each named by an external id (<c>cdc.move_4294967300</c>): one that Odoo knows already is left alone. All cells
/// are
/// texts: ids from 2^32 are too, as parts of names.
/// </summary>
/// <param name="columns">
/// Without the external id, which is the first: fields, <c>card_id/.id</c> for a reference by Odoo's id, <c>card_id/id</c> by external id.
/// </param>
public sealed partial class LoadTable(params string[] columns)
{
    private readonly List<JsonArray> _rows = [];

    public int Count => _rows.Count;

    internal JsonArray Fields => [.. columns.Prepend("id").Select(c => (JsonNode)c)];

    internal JsonArray Data => [.. _rows.Select(r => r.DeepClone())];

    /// <param name="externalId">
    /// MODULE.NAME; the module must not be the name of one that may be installed, or its update deletes the records.
    /// </param>
    /// <param name="cells">Null: no value.</param>
    public void Add(string externalId, params ReadOnlySpan<string?> cells)
    {
        if (!ExternalIds().IsMatch(externalId))
            throw new ArgumentException("An external id is MODULE.NAME, without spaces and further dots.", nameof(externalId));
        if (cells.Length != columns.Length)
            throw new ArgumentException($"There are {columns.Length} columns.", nameof(cells));
        var row = new JsonArray { externalId };
        foreach (var cell in cells)
            row.Add((JsonNode)(cell ?? ""));
        _rows.Add(row);
    }

    [GeneratedRegex(@"^[A-Za-z0-9_]+\.[^\s.]+\z")]
    private static partial Regex ExternalIds();
}
