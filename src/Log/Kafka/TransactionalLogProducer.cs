using System.Diagnostics;
using Cdc.Core.Failures;
using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>
/// Over brokers that fence: a record is acknowledged when the Kafka transaction that it is in is committed. A transaction begins with the
/// first record and is committed as soon as a caller waits for it; what is appended meanwhile is held for the next one. So the
/// duration of a commit makes the size of a transaction, and an idle log has none. After an error it commits nothing more: the clients that
/// take the transactional ids next abort what was left.
/// </summary>
/// <param name="owners">
/// They take turns: librdkafka lets an id whose last transaction is committed, but not yet ended in all partitions, wait for 20 ms. The next
/// one begins behind that commit, so what is committed is always a prefix.
/// </param>
internal sealed class TransactionalLogProducer(KafkaClients clients, IReadOnlyList<(string Id, IProducer<byte[], byte[]> Client)> owners)
    : LogProducer(clients, owners[0].Client)
{
    /// <param name="Lane">Null: it is of no data topic.</param>
    private readonly record struct Record(LogLane? Lane, TopicPartition Partition, byte[]? Key, byte[]? Value, long? Row);

    /// <summary>A point after so many records.</summary>
    private readonly record struct Boundary(long Appended, Action Reached);

    /// <summary>Time-out of one call: a commit may take many, and between them the producer checks whether it must end.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Guards everything below, but is never held while the brokers are waited for.</summary>
    private readonly object _gate = new();
    private readonly Queue<Boundary> _boundaries = new();

    /// <summary>Appended during a commit: the client takes none then.</summary>
    private readonly List<Record> _held = [];
    private Thread? _committer;

    /// <summary>Whose turn it is.</summary>
    private int _turn;
    private long _appended;
    private long _committed;
    private bool _isOpen;
    private bool _isCommitting;
    private long? _endsSince;

    /// <summary>
    /// The first refusal. Those that say only that something else was refused leave it to the end of the transaction to say what.
    /// </summary>
    private Exception? _refused;

    /// <summary>By lane, the offset after the last record of the open transaction that the brokers have.</summary>
    private long[] _delivered = [];

    protected override IProducer<byte[], byte[]> Client => owners[_turn].Client;

    public override Task FenceAsync(CancellationToken ct) =>
        Task.WhenAll(owners.Select(owner => TransactionFence.TakeAsync(Clients, owner.Client, owner.Id, ct)));

    public override void Begin(IReadOnlyList<LogPartition> partitions, IReadOnlyList<PartitionTail> tails)
    {
        base.Begin(partitions, tails);
        _delivered = [.. Lanes.Select(l => l.Next)];
        // The client's commit blocks, so it has its own thread.
        _committer = new Thread(Run) { IsBackground = true, Name = "Kafka transactions" };
        _committer.Start();
    }

    public override void Append(int partition, byte[]? key, byte[]? value, long? row = null)
    {
        var lane = Lanes[partition];
        lock (_gate)
            Put(new Record(lane, lane.Partition, key, value, row));
    }

    public override void Mark(Action reached)
    {
        lock (_gate)
        {
            if (_committed == _appended)
            {
                reached();
                return;
            }
            _boundaries.Enqueue(new Boundary(_appended, reached));
            Monitor.Pulse(_gate);
        }
    }

    public override Task AppendAsideAsync(TopicPartition partition, byte[] key, byte[] value, CancellationToken ct)
    {
        lock (_gate)
            Put(new Record(null, partition, key, value, null));
        return FlushAsync(ct);
    }

    public override void Dispose()
    {
        lock (_gate)
        {
            _endsSince = Stopwatch.GetTimestamp();
            Monitor.Pulse(_gate);
        }
        _committer?.Join();
        foreach (var owner in owners)
            owner.Client.Dispose();
    }

    /// <summary>On the client's thread and on the committer's, which serves the client while it waits: in any order.</summary>
    protected override void Delivered(LogLane lane, DeliveryReport<byte[], byte[]> report)
    {
        if (RefusalOf(lane, report) is { } refused)
        {
            Refuse(refused);
            return;
        }
        ref var delivered = ref _delivered[lane.Index];
        var next = report.Offset.Value + 1;
        for (var seen = Interlocked.Read(ref delivered); seen < next; )
        {
            var before = Interlocked.CompareExchange(ref delivered, next, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }

    private void DeliveredAside(string topic, DeliveryReport<byte[], byte[]> report)
    {
        if (!report.Error.IsError)
            return;
        var refused = new KafkaException(report.Error);
        Refuse(
            report.Error.Code == ErrorCode.TopicAuthorizationFailed
                ? Clients.Denied(new KafkaRight(KafkaResource.Topic, topic, KafkaOperation.Write), refused)
                : refused
        );
    }

    private void Refuse(Exception refused)
    {
        lock (_gate)
        {
            _refused ??= refused;
            Monitor.Pulse(_gate);
        }
    }

    private void Put(Record record)
    {
        _appended++;
        if (_isCommitting)
            _held.Add(record);
        else
            Produce(record);
    }

    private void Produce(Record record)
    {
        try
        {
            if (!_isOpen)
                Client.BeginTransaction();
            _isOpen = true;
            if (record.Lane is { } lane)
                Produce(lane, record.Key, record.Value, record.Row);
            else
                Client.Produce(
                    record.Partition,
                    new Message<byte[], byte[]> { Key = record.Key!, Value = record.Value! },
                    report => DeliveredAside(record.Partition.Topic, report)
                );
        }
        catch (KafkaException e) when (e.Error.Code == ErrorCode.Local_State)
        {
            // Something in the transaction has failed: to end it says what.
            Refuse(e);
        }
        catch (Exception e) when (e is KafkaException or CdcException)
        {
            Fail(e);
            throw;
        }
    }

    private void Run()
    {
        try
        {
            while (AwaitWork() is { } through)
            {
                Commit();
                Publish(through);
            }
        }
        catch (Exception e)
        {
            lock (_gate)
                _isCommitting = true;
            Fail(e);
        }
    }

    /// <summary>When it returns, what is appended is held.</summary>
    /// <returns>How many records the transaction that is to be committed ends with; null: there is nothing more to do.</returns>
    private long? AwaitWork()
    {
        lock (_gate)
        {
            while (_boundaries.Count == 0 && _refused is null && _endsSince is null)
                Monitor.Wait(_gate);
            if (_endsSince is not null && (_committed == _appended || Failed.IsCompleted))
                return null;
            _isCommitting = true;
            return _appended;
        }
    }

    private void Commit()
    {
        while (true)
        {
            var onTheirWay = Client.Flush(Step);
            ThrowIfOver();
            if (onTheirWay > 0)
                continue;
            try
            {
                Client.CommitTransaction(Step);
                return;
            }
            catch (KafkaRetriableException)
            {
                // Without a coordinator the call fails at once.
                lock (_gate)
                    Monitor.Wait(_gate, Pause);
            }
        }
    }

    /// <summary>Nothing is committed with a record that was refused, or was acknowledged in a way that cannot be gone on with.</summary>
    private void ThrowIfOver()
    {
        lock (_gate)
        {
            if (
                _refused
                is not (
                    null
                    or KafkaException
                    {
                        Error.Code: ErrorCode.Local_State
                            or ErrorCode.Local_Fatal
                            or ErrorCode.Local_PurgeQueue
                            or ErrorCode.Local_PurgeInflight
                    }
                )
            )
                throw _refused;
            if (_endsSince is { } since && Stopwatch.GetElapsedTime(since) > LastWords)
                throw new KafkaException(ErrorCode.Local_TimedOut);
        }
    }

    private void Publish(long through)
    {
        lock (_gate)
        {
            if (_refused is not null)
                throw _refused;
            foreach (var lane in Lanes)
            {
                lane.Next = Interlocked.Read(ref _delivered[lane.Index]);
                lane.Forget();
            }
            _committed = through;
            while (_boundaries.TryPeek(out var first) && first.Appended <= through)
                _boundaries.Dequeue().Reached();
            _isOpen = false;
            _turn = (_turn + 1) % owners.Count;
            foreach (var record in _held)
                Produce(record);
            _held.Clear();
            _isCommitting = false;
        }
    }
}
