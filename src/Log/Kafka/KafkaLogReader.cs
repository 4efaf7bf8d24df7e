using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Log.Records;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Cdc.Log.Kafka;

/// <summary>Where to go on with a partition.</summary>
/// <param name="Next">Offset of the first record that is not applied.</param>
/// <param name="PassedUntil">Records below this offset are passed over: it is no gap if they are gone, or cannot be read.</param>
public readonly record struct PartitionStart(long Next, long PassedUntil);

/// <summary>Where to go on with partitions: the engine's word, never the group's.</summary>
/// <param name="Starts">One for each partition asked for.</param>
/// <param name="Taken">What the reader hands on with them.</param>
public sealed record PartitionsTaken(IReadOnlyList<PartitionStart> Starts, IReadOnlyList<object> Taken);

/// <summary>Makes partitions that a member of the group was given its own.</summary>
public delegate Task<PartitionsTaken> TakePartitions(IReadOnlyList<LogPartition> partitions, CancellationToken ct);

/// <summary>
/// One member of the consumer group of appliers: reads and decodes on its own thread, ahead of the applier, within a bound of bytes. Each
/// partition begins where <c>take</c> says.
/// </summary>
public sealed class KafkaLogReader : IAsyncDisposable
{
    private const int RecordsOfOnePart = 2_000;
    private const long BytesOfOnePart = 1 << 20;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);

    /// <summary>Time for the applier to commit what it has of revoked partitions; then they are fenced.</summary>
    private static readonly TimeSpan HandOver = TimeSpan.FromSeconds(5);

    /// <summary>Brokers that hang are not waited for longer: the group misses this member when its session has timed out.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(3);

    private readonly KafkaClients _clients;
    private readonly LogTopics _topics;

    /// <summary>By the partition's index.</summary>
    private readonly IRecordDecoder[] _decoders;
    private readonly TakePartitions _take;
    private readonly ILogger _log;
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly ConcurrentQueue<LogPart> _parts = new();
    private readonly SemaphoreSlim _some = new(0, 1);
    private readonly ByteBound _ahead;
    private readonly CancellationTokenSource _ended = new();
    private readonly List<ChangeEvent> _changes = [];
    private readonly List<TopicPartitionOffset> _begun = [];
    private readonly Task _reading;

    /// <summary>By the partition's index, the offset after what was read last.</summary>
    private readonly long[] _next;
    private readonly long[] _passedUntil;
    private readonly bool[] _saidUnreadable;
    private List<LogRecord> _records = [];
    private long _bytes;

    public KafkaLogReader(KafkaClients clients, LogTopics topics, IRecordCodec codec, long maxBytes, TakePartitions take, ILogger log)
    {
        (_clients, _topics, _take, _log, _ahead) = (clients, topics, take, log, new ByteBound(maxBytes));
        var ofTopic = topics.Names.ToDictionary(t => t, codec.Decoder);
        _decoders = [.. topics.All.Select(p => ofTopic[p.Topic])];
        _next = new long[topics.All.Count];
        _passedUntil = new long[topics.All.Count];
        _saidUnreadable = new bool[topics.All.Count];
        _consumer = KafkaClients.Made(
            clients
                .Member()
                .SetPartitionsAssignedHandler((_, partitions) => Assign(partitions))
                .SetPartitionsRevokedHandler((_, partitions) => Revoke(partitions, areLost: false))
                .SetPartitionsLostHandler((_, partitions) => Revoke(partitions, areLost: true))
                .Build
        );
        _reading = Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public bool HasSome => !_parts.IsEmpty;

    /// <summary>
    /// Ends when there is something to read, or at the latest after <paramref name="atMost"/>; throws what reading failed with.
    /// </summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken ct)
    {
        if (HasSome)
            return;
        if (_reading.IsCompleted)
            await _reading;
        await _some.WaitAsync(atMost, ct);
    }

    public bool TryRead([NotNullWhen(true)] out LogPart? part)
    {
        if (!_parts.TryDequeue(out part))
            return false;
        if (part is LogRecords records)
            _ahead.GiveBack(records.Bytes);
        return true;
    }

    /// <summary>Stores the offsets in the group, as a hint for lag tools.</summary>
    public void Applied(IEnumerable<(LogPartition Partition, long Next)> moved)
    {
        foreach (var (partition, next) in moved)
            StoreOffset(new TopicPartitionOffset(partition.Topic, partition.Number, next));
    }

    private void StoreOffset(TopicPartitionOffset offset)
    {
        try
        {
            _consumer.StoreOffset(offset);
        }
        catch (Exception e) when (e is KafkaException or ObjectDisposedException)
        {
            // Revoked meanwhile, or reading has failed: the next owner stores its offset.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // On a thread of its own, which ends when the brokers answer, or with the process.
        var closing = Task.Factory.StartNew(Close, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.WhenAny(closing, Task.Delay(Farewell));
        _ended.Dispose();
        _some.Dispose();
        _ahead.Dispose();
    }

    private void Read()
    {
        try
        {
            _consumer.Subscribe(_topics.Names);
            while (!_ended.IsCancellationRequested)
            {
                var read = Consume(_records.Count > 0 ? TimeSpan.Zero : Poll);
                if (_begun.Count > 0)
                    ReportBegun();
                if (read is { IsPartitionEOF: false })
                    Add(read);
                else if (read is not null)
                    Pass(read);
                if (_records.Count > 0 && (read is null || _records.Count >= RecordsOfOnePart || _bytes >= BytesOfOnePart))
                    HandOn();
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The applier has ended.
        }
        finally
        {
            // Its handlers take nothing more, and the applier is woken.
            _ended.Cancel();
            Signal();
        }
    }

    private ConsumeResult<byte[], byte[]>? Consume(TimeSpan atMost)
    {
        try
        {
            return _consumer.Consume(atMost);
        }
        catch (ConsumeException e)
            when (e.Error.Code is ErrorCode.OffsetOutOfRange or ErrorCode.Local_AutoOffsetReset
                && e.ConsumerRecord?.TopicPartition is { } lost
                && _topics.Find(lost.Topic, lost.Partition.Value) is { } partition
                && _next[partition.Index] < _passedUntil[partition.Index]
            )
        {
            throw new CdcException(
                FailureKind.Unavailable,
                $"Retention removes records of {partition} that are passed over, while they are read.",
                "Nothing is to be done: it begins anew behind them.",
                e
            );
        }
        catch (ConsumeException e) when (e.Error.Code is ErrorCode.GroupAuthorizationFailed)
        {
            throw _clients.Denied(new KafkaRight(KafkaResource.Group, _clients.Options.Group, KafkaOperation.Read), e);
        }
        catch (ConsumeException e)
            when (e.Error.Code is ErrorCode.TopicAuthorizationFailed && e.ConsumerRecord?.Topic is { Length: > 0 } topic)
        {
            throw _clients.Denied(new KafkaRight(KafkaResource.Topic, topic, KafkaOperation.Read), e);
        }
    }

    /// <summary>Tells the group, with the last offsets.</summary>
    private void Close()
    {
        _consumer.Close();
        _consumer.Dispose();
    }

    private void Add(ConsumeResult<byte[], byte[]> read)
    {
        var partition = PartitionOf(read.TopicPartition);
        _next[partition.Index] = read.Offset.Value + 1;
        if (read.Message.Value is null)
        {
            _records.Add(new LogRecord(partition, read.Offset.Value, default, null, null));
            return;
        }
        var stamp = Decode(partition, read);
        var change = _changes.Count > 0 ? _changes[0] : null;
        _records.Add(new LogRecord(partition, read.Offset.Value, stamp, change, _changes.Count > 1 ? [.. _changes.Skip(1)] : null));
        _bytes += change?.Bytes ?? 0;
    }

    /// <summary>
    /// The end of a partition lies behind its last record if that one's transaction was ended there, or others were aborted.
    /// </summary>
    private void Pass(ConsumeResult<byte[], byte[]> end)
    {
        var partition = PartitionOf(end.TopicPartition);
        if (end.Offset.Value <= _next[partition.Index])
            return;
        _next[partition.Index] = end.Offset.Value;
        _records.Add(new LogRecord(partition, end.Offset.Value - 1, default, null, null));
    }

    private LogPartition PartitionOf(TopicPartition read) =>
        _topics.Find(read.Topic, read.Partition.Value) ?? throw PartitionCount.Changed(read.Topic, _topics.Of(read.Topic).Count);

    /// <summary>Of a record that cannot be read and is passed over, no change.</summary>
    private RecordStamp Decode(LogPartition partition, ConsumeResult<byte[], byte[]> read)
    {
        var decoder = _decoders[partition.Index];
        var (key, value) = (read.Message.Key, read.Message.Value);
        _changes.Clear();
        try
        {
            if (decoder.TryDecode(key, value, _changes, out var stamp))
                return stamp;
            decoder.LearnAsync(key, value, _ended.Token).GetAwaiter().GetResult();
            if (decoder.TryDecode(key, value, _changes, out stamp))
                return stamp;
            throw new RecordFormatException("its schema was learned and is still not known.");
        }
        catch (RecordFormatException e) when (read.Offset.Value < _passedUntil[partition.Index])
        {
            // There may be millions.
            if (!_saidUnreadable[partition.Index])
                KafkaLog.UnreadablePassed(_log, partition, read.Offset.Value, e.Message);
            _saidUnreadable[partition.Index] = true;
            _changes.Clear();
            return default;
        }
        catch (RecordFormatException e)
        {
            throw new DeclaredGapException(
                GapKinds.LogUnreadable,
                $"Partition {partition} has a record at offset {read.Offset.Value} that cannot be read: {e.Message}",
                "Find out what else writes to the topic besides 'cdc capture'; "
                    + "then read everything again with 'cdc slot reset' (ops/runbooks/kafka.md)."
            );
        }
    }

    private void HandOn()
    {
        _ahead.TakeAsync(_bytes, _ended.Token).AsTask().GetAwaiter().GetResult();
        Put(new LogRecords(_records, _bytes));
        (_records, _bytes) = ([], 0);
    }

    private List<TopicPartitionOffset> Assign(List<TopicPartition> assigned)
    {
        if (assigned.Count == 0)
            return [];
        if (_records.Count > 0)
            HandOn();
        var partitions = assigned.Select(PartitionOf).ToList();
        KafkaLog.Assigned(_log, string.Join(' ', partitions));
        CrashPoint.Hit("in-rebalance");
        var taken = _take(partitions, _ended.Token).GetAwaiter().GetResult();
        foreach (var (partition, start) in partitions.Zip(taken.Starts))
            (_next[partition.Index], _passedUntil[partition.Index]) = (start.Next, start.PassedUntil);
        Put(new PartitionsAssigned(taken.Taken));
        List<TopicPartitionOffset> begin =
        [
            .. assigned.Zip(taken.Starts, (partition, start) => new TopicPartitionOffset(partition, FirstThere(partition, start))),
        ];
        _begun.AddRange(begin);
        return begin;
    }

    /// <summary>Retention may have removed records that are passed over anyway; behind them nothing may be missing.</summary>
    private long FirstThere(TopicPartition partition, PartitionStart start)
    {
        if (start.Next >= start.PassedUntil)
            return start.Next;
        var low = _clients.Ask(() => _consumer.QueryWatermarkOffsets(partition, Answer)).Low.Value;
        return Math.Clamp(low, start.Next, start.PassedUntil);
    }

    private void Revoke(List<TopicPartitionOffset> revoked, bool areLost)
    {
        var partitions = revoked.Select(p => _topics.Find(p.Topic, p.Partition.Value)).OfType<LogPartition>().ToList();
        if (_ended.IsCancellationRequested || partitions.Count == 0)
            return;
        KafkaLog.Revoked(_log, string.Join(' ', partitions));
        if (_records.Count > 0)
            HandOn();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Put(new PartitionsRevoked(partitions, areLost, done));
        Task.WhenAny(done.Task, Task.Delay(HandOver, _ended.Token)).GetAwaiter().GetResult();
    }

    /// <summary>Of partitions to which nothing comes the group must know too. Only after their assignment it takes their offsets.</summary>
    private void ReportBegun()
    {
        foreach (var offset in _begun)
            StoreOffset(offset);
        _begun.Clear();
    }

    private void Put(LogPart part)
    {
        _parts.Enqueue(part);
        Signal();
    }

    private void Signal()
    {
        if (_some.CurrentCount == 0)
            _some.Release();
    }
}
