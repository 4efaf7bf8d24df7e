using Cdc.Core.Changes;
using Cdc.Core.Progress;
using Cdc.Log.Records;
using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>How a partition ends.</summary>
/// <param name="End">Offset behind its last record, and behind the end of its last transaction.</param>
/// <param name="Last">Position of the last record with a payload; the origin if there is none.</param>
/// <param name="OwedTombstone">Key of a delete whose tombstone is missing.</param>
public sealed record PartitionTail(long End, ChangePosition Last, byte[]? OwedTombstone)
{
    /// <summary>Offset of the first record that there still is.</summary>
    public long Begin { get; init; }

    /// <summary>The row's key of the last record with a payload; null: there is none, or it has no key.</summary>
    public long? LastKey { get; init; }
}

/// <summary>Reads the ends of partitions: once, when a session begins, after it has fenced the previous writer.</summary>
internal sealed class TailReader(KafkaClients clients)
{
    private const long FirstReach = 64;
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public Task<IReadOnlyList<PartitionTail>> ReadAsync(LogTopics topics, IRecordCodec codec, CancellationToken ct) =>
        Task.Run(
            async () =>
            {
                using var consumer = clients.Reader();
                var tails = new List<PartitionTail>();
                foreach (var partition in topics.All)
                {
                    var decoder = codec.Decoder(partition.Topic);
                    tails.Add(await ReadAsync(consumer, new TopicPartition(partition.Topic, partition.Number), decoder, ct));
                }
                return (IReadOnlyList<PartitionTail>)tails;
            },
            ct
        );

    /// <summary>The newest record of the newest session in the control topic.</summary>
    /// <remarks>
    /// Not simply the last one: a session that was stopped (SIGSTOP, a virtual machine that was paused) and replaced may write what it knew
    /// then when it wakes up, where brokers do not fence it. Taken for the log's memory, that gave a false gap, "slot-advanced" (seen).
    /// Committed or not: it says only what was acknowledged before it. Its writer knows the commit, and may confirm the slot by it, a
    /// moment before readers of committed records see it; a comparison with the slot in that moment would find a gap.
    /// </remarks>
    public Task<ControlRecord> ReadControlAsync(string topic, CancellationToken ct) =>
        Task.Run(
            () =>
            {
                using var consumer = clients.Reader(onlyCommitted: false);
                var newest = ControlRecord.None;
                ReadBackwards(
                    consumer,
                    new TopicPartition(topic, 0),
                    record =>
                    {
                        if (ControlRecord.FromJson(record.Message.Value) is { } control && control.Session >= newest.Session)
                            newest = control;
                        return newest != ControlRecord.None;
                    },
                    ct
                );
                return newest;
            },
            ct
        );

    private async Task<PartitionTail> ReadAsync(
        IConsumer<byte[], byte[]> consumer,
        TopicPartition partition,
        IRecordDecoder decoder,
        CancellationToken ct
    )
    {
        var hasTombstone = false;
        var records = new List<ConsumeResult<byte[], byte[]>>();
        var extent = ReadBackwards(
            consumer,
            partition,
            record =>
            {
                records.Add(record);
                return record.Message.Value is not null;
            },
            ct
        );
        // Each read further back is appended to the one before it.
        records.Sort((a, b) => a.Offset.Value.CompareTo(b.Offset.Value));
        // What cannot be read is not ours: what comes after it in the order of changes is sent again, which does no harm.
        for (var i = records.Count - 1; i >= 0; i--)
        {
            var message = records[i].Message;
            hasTombstone |= message.Value is null;
            if (message.Value is null || await PositionAsync(decoder, message, ct) is not { } last)
                continue;
            return new PartitionTail(extent.End, last.Position, last.IsDelete && !hasTombstone ? message.Key : null)
            {
                Begin = extent.Begin,
                LastKey = last.Key,
            };
        }
        return new PartitionTail(extent.End, ChangePosition.Origin, null) { Begin = extent.Begin };
    }

    private static async Task<(ChangePosition Position, long? Key, bool IsDelete)?> PositionAsync(
        IRecordDecoder decoder,
        Message<byte[], byte[]> message,
        CancellationToken ct
    ) =>
        await DecodeAsync(decoder, message, ct) is [var first, ..]
            ? first switch
            {
                RowChange row => (row.Position, row.Key, row.Kind == RowChangeKind.Delete),
                TruncateChange truncate => (truncate.Position, null, false),
                _ => null,
            }
            : null;

    /// <returns>Nothing, if it cannot be read.</returns>
    private static async Task<List<ChangeEvent>> DecodeAsync(IRecordDecoder decoder, Message<byte[], byte[]> message, CancellationToken ct)
    {
        var changes = new List<ChangeEvent>();
        try
        {
            if (!decoder.TryDecode(message.Key, message.Value, changes, out _))
            {
                await decoder.LearnAsync(message.Key, message.Value, ct);
                decoder.TryDecode(message.Key, message.Value, changes, out _);
            }
        }
        catch (RecordFormatException)
        {
            changes.Clear();
        }
        return changes;
    }

    /// <summary>
    /// Reads from near the end to the end, and from ever further back until <paramref name="found"/> was true of some record. Each read
    /// begins anew.
    /// </summary>
    /// <returns>All that can be read.</returns>
    private LogExtent ReadBackwards(
        IConsumer<byte[], byte[]> consumer,
        TopicPartition partition,
        Func<ConsumeResult<byte[], byte[]>, bool> found,
        CancellationToken ct
    )
    {
        var marks = clients.Ask(() => consumer.QueryWatermarkOffsets(partition, Answer));
        var (low, high) = (marks.Low.Value, marks.High.Value);
        for (long back = FirstReach, until = high; until > low; back *= 8)
        {
            var from = Math.Max(low, until - back);
            if (ReadPart(consumer, partition, from, until, found, ct) || from == low)
                break;
            until = from;
        }
        return new LogExtent(low, high);
    }

    private bool ReadPart(
        IConsumer<byte[], byte[]> consumer,
        TopicPartition partition,
        long from,
        long until,
        Func<ConsumeResult<byte[], byte[]>, bool> found,
        CancellationToken ct
    )
    {
        consumer.Assign(new TopicPartitionOffset(partition, from));
        var any = false;
        var silent = TimeProvider.System.GetTimestamp();
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var record = Consume(consumer, partition.Topic);
            if (record is null)
            {
                if (TimeProvider.System.GetElapsedTime(silent) > Timeout)
                    throw new KafkaException(new Error(ErrorCode.Local_TimedOut, $"the end of {partition} could not be read"));
                continue;
            }
            silent = TimeProvider.System.GetTimestamp();
            if (!record.IsPartitionEOF && record.Offset.Value < until)
                any |= found(record);
            // A transaction's end takes an offset without a record: only the end of the partition says that nothing more comes.
            if (record.IsPartitionEOF || record.Offset.Value >= until - 1)
                break;
        }
        consumer.Unassign();
        return any;
    }

    /// <returns>Null: nothing came in a moment.</returns>
    private ConsumeResult<byte[], byte[]>? Consume(IConsumer<byte[], byte[]> consumer, string topic)
    {
        try
        {
            return consumer.Consume(TimeSpan.FromMilliseconds(100));
        }
        catch (ConsumeException e) when (e.Error.Code == ErrorCode.GroupAuthorizationFailed)
        {
            // The reader is in no group.
            return null;
        }
        catch (ConsumeException e) when (e.Error.Code == ErrorCode.TopicAuthorizationFailed)
        {
            throw clients.Denied(new KafkaRight(KafkaResource.Topic, topic, KafkaOperation.Read), e);
        }
    }
}
