using Cdc.Core.Changes;

namespace Cdc.Core.Snapshots;

/// <summary>The rows of a chunk, in key order, as binary COPY gave them.</summary>
/// <param name="Schema">Format <see cref="RowFormat.Copy"/>.</param>
/// <param name="SnapshotMicros">When the snapshot was taken, by the source's clock, in microseconds since 2000-01-01 UTC.</param>
public sealed record ChunkRows(TableSchema Schema, IReadOnlyList<(long Key, RowImage Image)> Rows, long SnapshotMicros)
{
    /// <summary>The rows that were not in flight at the marker, at their places just before it. The chunk's end takes ordinal -1.</summary>
    public IReadOnlyList<RowChange> At(Chunk chunk)
    {
        var changes = new List<RowChange>(Rows.Count);
        if (chunk.DroppedAll) return changes;
        var ordinal = chunk.First.Ordinal;
        foreach (var (key, image) in Rows)
        {
            if (chunk.Dropped.Count > 0 && chunk.Dropped.Contains(key)) continue;
            changes.Add(new RowChange
            {
                Schema = Schema,
                Kind = RowChangeKind.Read,
                Key = key,
                Position = chunk.First with { Ordinal = ordinal++ },
                Image = image,
                CommitMicros = SnapshotMicros,
            });
        }
        return changes;
    }
}
