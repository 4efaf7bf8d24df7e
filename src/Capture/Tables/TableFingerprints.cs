using System.Globalization;
using Cdc.Core.Changes;
using Cdc.Core.Entities;

namespace Cdc.Capture.Tables;

/// <summary>What of a table's definition is remembered with its rows: where it differs, rows changed that no event brought.</summary>
internal static class TableFingerprints
{
    /// <summary>Stands before what versions up to 0.1 did not remember.</summary>
    private const string Since = ";;";

    public static TableFingerprint Of(EntityDeclaration entity, CatalogTable table, ulong barrierXid)
    {
        var columns = entity
            .SourceColumns.Select(c => table.Column(c.Name))
            .OfType<CatalogColumn>()
            .OrderBy(c => c.Name, StringComparer.Ordinal)
            .Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Name}:{c.Number}:{c.TypeOid}:{(c.HasMissing ? 1 : 0)}"));
        return new TableFingerprint(
            table.Oid,
            table.FileNode,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{string.Join(';', columns)};publication:{table.Entry}{Since}{table.Bearing}{Deferred(table)}"
            ),
            barrierXid
        );
    }

    public static bool AreSame(TableFingerprint known, TableFingerprint now) =>
        (known.RelationOid, known.FileNode) == (now.RelationOid, now.FileNode)
        && (
            known.Columns == now.Columns || (!now.HasDeferredKey && now.Columns.StartsWith(known.Columns + Since, StringComparison.Ordinal))
        );

    private static string Deferred(CatalogTable table) => table.PrimaryKey is { IsImmediate: false } ? TableFingerprint.DeferredKey : "";
}
