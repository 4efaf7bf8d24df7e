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

    /// <summary>The same rows as changes; behind them, where ends are owed, those of keys that are not there.</summary>
    public IEnumerable<RowChange> ChangesIn(Chunk chunk)
    {
        var next = chunk.First;
        foreach (var row in PlacedIn(chunk))
        {
            yield return Change(row);
            next = row.Position with { Ordinal = row.Position.Ordinal + 1 };
        }
        foreach (var key in EndedIn(chunk))
        {
            yield return End(key, next);
            next = next with { Ordinal = next.Ordinal + 1 };
        }
    }

    /// <summary>A key in flight ends, or does not, by its own event.</summary>
    private IEnumerable<long> EndedIn(Chunk chunk) =>
        chunk.Job.Kind != ChunkKind.Owed || chunk.DroppedAll
            ? []
            : chunk.Job.Keys!.Except(Rows.Select(row => row.Key)).Except(chunk.Dropped).Order();

    private RowChange End(long key, ChangePosition position) =>
        new()
        {
            Schema = Schema,
            Kind = RowChangeKind.Delete,
            Key = key,
            Position = position,
            CommitMicros = SnapshotMicros,
        };

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
