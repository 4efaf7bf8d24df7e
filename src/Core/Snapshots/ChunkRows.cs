using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;

namespace Cdc.Core.Snapshots;

/// <summary>A row of a chunk that has its place in the order of changes.</summary>
public readonly record struct PlacedRow(long Key, RowImage Image, ChangePosition Position);

/// <summary>The rows of a chunk, in key order, as binary COPY gave them.</summary>
/// <param name="Schema">Format <see cref="RowFormat.Copy"/>.</param>
/// <param name="SnapshotMicros">When the snapshot was taken, by the source's clock, in microseconds since 2000-01-01 UTC.</param>
public sealed record ChunkRows(TableSchema Schema, IReadOnlyList<(long Key, RowImage Image)> Rows, long SnapshotMicros)
{
    /// <summary>The rows that were not in flight at the marker, at their places just before it. The chunk's end takes ordinal -1.</summary>
    public IEnumerable<PlacedRow> PlacedIn(Chunk chunk)
    {
        if (chunk.DroppedAll)
            yield break;
        var ordinal = chunk.First.Ordinal;
        foreach (var (key, image) in Rows)
            if (chunk.Dropped.Count == 0 || !chunk.Dropped.Contains(key))
                yield return new PlacedRow(key, image, chunk.First with { Ordinal = ordinal++ });
    }

    /// <summary>The same rows as changes.</summary>
    public IEnumerable<RowChange> ChangesIn(Chunk chunk) => PlacedIn(chunk).Select(Change);

    public RowChange Change(PlacedRow row) =>
        new()
        {
            Schema = Schema,
            Kind = RowChangeKind.Read,
            Key = row.Key,
            Position = row.Position,
            Image = row.Image,
            CommitMicros = SnapshotMicros,
        };
}
