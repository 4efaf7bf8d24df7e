using System.Runtime.CompilerServices;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Progress;

namespace Cdc.Log.Kafka;

/// <summary>
/// Which keys a TRUNCATE ends, for a log that says it row by row. PostgreSQL does not say; the engine knows, when it has applied all that
/// is in the table's topic before.
/// </summary>
/// <param name="stop">Ends the wait for the engine with <see cref="OperationCanceledException"/>: the truncate is sent again.</param>
internal sealed class TruncatedKeys(
    LogTopics topics,
    IReadOnlyList<PartitionTail> tails,
    LogProducer producer,
    ILogBoard board,
    CancellationToken stop
)
{
    /// <summary>
    /// The place behind the truncate up to which an earlier session has written keys of other than one integer; 0: none. There are more such
    /// keys than a truncate has places, so each takes the next one: what is written again is none of those keys, but behind them.
    /// </summary>
    public long LastPlace(TruncateChange truncate, string topic)
    {
        var (first, last) = (truncate.Position, truncate.PositionOf(EntityDeclaration.FirstEngineId - 1));
        return topics
            .Of(topic)
            .Select(p => tails[p.Index].Last)
            .Where(tail => tail > first && tail <= last)
            .Select(tail => tail.Ordinal - first.Ordinal)
            .DefaultIfEmpty(0)
            .Max();
    }

    /// <returns>In pages, rising. Those that an earlier session has written are in the engine no more.</returns>
    public async IAsyncEnumerable<IReadOnlyList<KnownKey>> ReadAsync(
        TruncateChange truncate,
        TableSchema table,
        string topic,
        [EnumeratorCancellation] CancellationToken ct
    )
    {
        var partitions = topics.Of(topic);
        var last = truncate.PositionOf(EntityDeclaration.FirstEngineId - 1);
        if (partitions.All(p => tails[p.Index].Last > last))
            yield break;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, stop);
        // What is not acknowledged the engine cannot have applied.
        await producer.FlushAsync(either.Token);
        var vector = producer.Vector();
        var before = partitions.ToDictionary(p => p.Name, p => vector[p.Name]);
        int[] readers = [.. truncate.Schemas.Where(s => s.RelationOid == table.RelationOid).Select(s => s.Entity)];
        await foreach (var keys in board.KeysAsync(readers, before, either.Token))
        {
            yield return keys;
            // A table may have millions of keys, and the producer's memory a bound.
            await producer.FlushAsync(either.Token);
        }
    }
}
