using System.Globalization;

namespace Cdc.Engine.Snapshots;

/// <summary>
/// The guard of last resort, whatever the reason: rows that are not seen in the source are deleted without a person only where they are few,
/// or a small share of their table. A source that shows fewer rows than it has would otherwise empty the engine, at once or by many small
/// readings: those of a day count together, since a person has last allowed some.
/// </summary>
/// <param name="Percent">Of a table, 0 to 100.</param>
/// <param name="Rows">Whatever the size of the table.</param>
public sealed record DeleteLimit(int Percent, long Rows)
{
    /// <summary>More than may be deleted of a small table: of a large one it may still be few.</summary>
    public bool AreMany(long deletes) => deletes > Rows;

    /// <param name="rows">Of the table.</param>
    public bool IsExceeded(long deletes, long rows) => AreMany(deletes) && 100m * deletes > (decimal)Percent * rows;

    /// <summary>What was seen, and what to do, which is safe to obey whether the rows are gone or only hidden.</summary>
    /// <param name="earlier">Deleted without a person within a day.</param>
    public string Reason(string entity, long deletes, long rows, long earlier = 0) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{deletes} of {rows} rows of {entity} are not there when they are read from Odoo"
                + $"{(earlier > 0 ? string.Create(CultureInfo.InvariantCulture, $", and {earlier} more were deleted within a day") : "")}"
                + $": more than Engine:MaxDeletedPercent ({Percent} %) and "
                + $"Engine:MaxDeletedRows ({Rows}) allow. None of them is deleted, and changes are applied. If Odoo has really lost them: "
                + $"cdc snapshot {entity} --allow-deletes. If not, repair what hides them from cdc's role, then: cdc snapshot {entity} (ops/runbooks/deletes-held.md)."
        );
}
