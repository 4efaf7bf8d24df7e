using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cdc.Reconcile.Comparing;

/// <summary>The values of one key on both sides, as differences.</summary>
internal static class RowDifferences
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="odoo">Null: there is no such row.</param>
    public static IEnumerable<DriftRecord> Of(
        string entity,
        IReadOnlyList<CanonicalColumn> columns,
        long key,
        string?[]? odoo,
        string?[]? engine
    )
    {
        if (odoo is null || engine is null)
        {
            if (odoo is not null)
                yield return new DriftRecord(entity, key, DriftKind.Missing, DriftRecord.WholeRow, Json(columns, odoo), null);
            if (engine is not null)
                yield return new DriftRecord(entity, key, DriftKind.Extra, DriftRecord.WholeRow, null, Json(columns, engine));
            yield break;
        }
        for (var i = 0; i < columns.Count; i++)
            if (!string.Equals(odoo[i], engine[i], StringComparison.Ordinal) || odoo[i] == SideReader.NotComputable)
                yield return new DriftRecord(entity, key, DriftKind.Differing, columns[i].Name, odoo[i], engine[i]);
    }

    private static string Json(IReadOnlyList<CanonicalColumn> columns, string?[] values) =>
        JsonSerializer.Serialize(columns.Select((c, i) => (c.Name, Value: values[i])).ToDictionary(p => p.Name, p => p.Value), Readable);
}
