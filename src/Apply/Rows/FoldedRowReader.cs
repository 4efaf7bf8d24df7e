using Cdc.Core.Changes;
using Cdc.Core.Entities;

namespace Cdc.Apply.Rows;

/// <summary>
/// What a folded row says of its columns: its newest image, and of what that leaves unchanged the older ones. One row at a time.
/// </summary>
internal sealed class FoldedRowReader(EntityDeclaration entity)
{
    private readonly SourceRow _older = new(entity.SourceColumns.Count);

    /// <summary>As the last <see cref="Read"/> left it.</summary>
    public SourceRow Row { get; } = new(entity.SourceColumns.Count);

    /// <param name="row">With a <see cref="FoldedRow.Write"/>.</param>
    public void Read(in FoldedRow row)
    {
        ReadChange(Row, row.Write!);
        for (var older = row.Older; older is not null && Row.IsPartial; older = older.Next)
        {
            ReadChange(_older, older.Change);
            Row.FillUnknownFrom(_older);
        }
    }

    private static void ReadChange(SourceRow into, RowChange change)
    {
        into.Read(change.Image, change.Schema);
        if (!into.IsPartial || change.Before.IsEmpty)
            return;
        var before = new SourceRow(into.Slots);
        before.Read(change.Before, change.Schema);
        into.FillUnknownFrom(before);
    }
}
