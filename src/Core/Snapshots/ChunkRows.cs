using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;

namespace Cdc.Core.Snapshots;

/// <summary>A row of a chunk that has its place in the order of changes.</summary>
/// <param name="SpelledKey">As in <see cref="RowChange.SpelledKey"/>.</param>
public readonly record struct PlacedRow(long Key, RowImage Image, ChangePosition Position, byte[]? SpelledKey);

/// <summary>The rows of a chunk, in key order, as binary COPY gave them.</summary>
/// <param name="Schema">Format <see cref="RowFormat.Copy"/>.</param>
/// <param name="SnapshotMicros">When the snapshot was taken, by the source's clock, in microseconds since 2000-01-01 UTC.</param>
public sealed record ChunkRows(TableSchema Schema, IReadOnlyList<(long Key, RowImage Image)> Rows, long SnapshotMicros)
{
    /// <summary>Of each row, where keys are known by a hash; else null.</summary>
    public IReadOnlyList<byte[]>? SpelledKeys { get; init; }

    /// <summary>The rows that were not in flight at the marker, at their places just before it. The chunk's end takes ordinal -1.</summary>
    public IEnumerable<PlacedRow> PlacedIn(Chunk chunk)
    {
        if (chunk.DroppedAll)
            yield break;
        var ordinal = chunk.First.Ordinal;
        for (var i = 0; i < Rows.Count; i++)
        {
            var (key, image) = Rows[i];
            if (chunk.Dropped.Count == 0 || !chunk.Dropped.Contains(key))
                yield return new PlacedRow(key, image, chunk.First with { Ordinal = ordinal++ }, SpelledKeys?[i]);
        }
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
            yield return End(key, chunk.Job.SpelledKeys?[key], next);
            next = next with { Ordinal = next.Ordinal + 1 };
        }
    }

    /// <summary>A key in flight ends, or does not, by its own event.</summary>
    private IEnumerable<long> EndedIn(Chunk chunk) =>
        chunk.Job.Kind != ChunkKind.Owed || chunk.DroppedAll
            ? []
            : chunk.Job.Keys!.Except(Rows.Select(row => row.Key)).Except(chunk.Dropped).Order();

    private RowChange End(long key, byte[]? spelled, ChangePosition position) =>
        new()
        {
            Schema = Schema,
            Kind = RowChangeKind.Delete,
            Key = key,
            SpelledKey = spelled,
            Position = position,
            CommitMicros = SnapshotMicros,
        };

    public RowChange Change(PlacedRow row) =>
        new()
        {
            Schema = Schema,
            Kind = RowChangeKind.Read,
            Key = row.Key,
            SpelledKey = row.SpelledKey,
            Position = row.Position,
            Image = row.Image,
            CommitMicros = SnapshotMicros,
        };
}
