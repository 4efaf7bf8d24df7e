using System.Globalization;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Progress;
using Cdc.Core.Telemetry;
using Cdc.Log.Records;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Cdc.Log.Kafka;

/// <summary>
/// One capture session's hold on the log: its number, which rises and is kept in the log itself; how the partitions ended when it began;
/// and what it has had acknowledged since. Progress here is what the brokers have, so that capture goes on while the engine is down.
/// </summary>
public sealed class KafkaLogSession : IAppliedProgress, ILogSession, IAsyncDisposable
{
    /// <summary>The session's own: compaction leaves the newest record of each, even if a replaced session still writes.</summary>
    private readonly byte[] _controlKey;
    private readonly KafkaClients _clients;
    private readonly LogTopics _topics;
    private readonly IReadOnlyList<PartitionTail> _tails;
    private readonly LogProducer _producer;
    private readonly Lazy<IProducer<byte[], byte[]>> _aside;
    private readonly ControlRecord _before;
    private readonly int _generation;
    private readonly IReadOnlySet<string> _byValue;
    private readonly TruncateRecords _truncates;
    private KafkaLogWriter? _writer;

    private KafkaLogSession(
        KafkaClients clients,
        LogTopics topics,
        ControlRecord before,
        int generation,
        IReadOnlyList<PartitionTail> tails,
        LogProducer producer
    )
    {
        (_clients, _topics, _before, Number) = (clients, topics, before, before.Session + 1);
        (_generation, _tails, _producer) = (generation, tails, producer);
        _byValue = KeyPlacement.Decide(_topics, before, tails);
        _controlKey = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"log/{Number}"));
        _aside = new(_clients.AsideProducer);
        _truncates = clients.Options.Truncates;
    }

    public long Number { get; }

    public IReadOnlyDictionary<string, LogExtent> Extents =>
        _topics.All.ToDictionary(p => p.Name, p => new LogExtent(_tails[p.Index].Begin, _tails[p.Index].End));

    /// <summary>
    /// The last transaction that earlier sessions brought whole into the log; when it is sent again it must be the same one.
    /// </summary>
    public ResumePoint ResumeFrom(int generation, long session) =>
        _before.Generation == generation
            ? new(
                generation,
                session,
                _before.Written,
                new ChangePosition(generation, _before.LastCommitLsn, 0),
                _before.LastXid,
                _before.LastCommitMicros
            )
            : new(generation, session, Lsn.Zero, new ChangePosition(generation, Lsn.Zero, 0), 0, 0);

    /// <summary>Fails with the first record that the brokers refused.</summary>
    public Task Failed => _producer.Failed;

    public Lsn Through => Acknowledged.Through;

    public LogProgress Acknowledged => _writer?.Acknowledged ?? LogProgress.None;

    public IReadOnlyDictionary<string, long> Vector() => _producer.Vector();

    public void RequireCounts(IReadOnlyCollection<string> known) => PartitionCount.Require(_topics, known);

    /// <summary>What the log remembers; <see cref="ControlRecord.None"/> if it is empty.</summary>
    public static async Task<ControlRecord> ReadMemoryAsync(KafkaClients clients, CancellationToken ct) =>
        await new TailReader(clients).ReadControlAsync(await LogTopics.RequireControlAsync(clients, ct), ct);

    /// <param name="generation">The engine's.</param>
    /// <exception cref="DeclaredGapException">The log has a newer generation, or lacks records that it had acknowledged.</exception>
    public static async Task<KafkaLogSession> OpenAsync(
        KafkaClients clients,
        LogTopics topics,
        IRecordCodec codec,
        int generation,
        ILogger log,
        CancellationToken ct
    )
    {
        var producer = LogProducer.Create(clients);
        try
        {
            // Before anything is read: what it reads then is all there will be of others.
            await producer.FenceAsync(ct);
            var session = await BeginAsync(clients, topics, codec, generation, producer, ct);
            KafkaLog.SessionBegins(
                log,
                session.Number,
                topics.All.Count,
                session._before.Written,
                clients.TransactionalIds is { Count: > 0 } ids ? string.Join(", ", ids) : "none",
                clients.IsIdempotent
            );
            return session;
        }
        catch
        {
            producer.Dispose();
            throw;
        }
    }

    /// <summary>Once.</summary>
    /// <param name="stop">Ends waits for the engine, at once.</param>
    public IChangeLogWriter Write(IRecordCodec codec, ILogBoard board, long maxBytes, PipelineStatistics statistics, CancellationToken stop)
    {
        _writer = new KafkaLogWriter(
            new SessionLayout(Number, _topics, new KeyPlacement(_topics, _byValue), _tails),
            codec,
            _producer,
            board,
            maxBytes,
            statistics
        )
        {
            Truncated = _truncates == TruncateRecords.Deletes ? new TruncatedKeys(_topics, _tails, _producer, board, stop) : null,
        };
        _writer.SendOwed();
        return _writer;
    }

    /// <summary>
    /// A record of another topic than the log's, acknowledged when the task ends. In no transaction of the log: one that the brokers refuse
    /// would take the log's records with it.
    /// </summary>
    public async Task AppendAsideAsync(string topic, byte[] key, byte[] value, CancellationToken ct)
    {
        try
        {
            await _aside.Value.ProduceAsync(topic, new Message<byte[], byte[]> { Key = key, Value = value }, ct);
        }
        catch (KafkaException e) when (e.Error.Code == ErrorCode.TopicAuthorizationFailed)
        {
            throw _clients.Denied(new KafkaRight(KafkaResource.Topic, topic, KafkaOperation.Write), e);
        }
    }

    public Task RecordWrittenAsync(Lsn lsn, CancellationToken ct) => RememberAsync(lsn, ct);

    public ValueTask DisposeAsync()
    {
        _producer.Dispose();
        _writer?.Dispose();
        if (_aside.IsValueCreated)
            _aside.Value.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<KafkaLogSession> BeginAsync(
        KafkaClients clients,
        LogTopics topics,
        IRecordCodec codec,
        int generation,
        LogProducer producer,
        CancellationToken ct
    )
    {
        var reader = new TailReader(clients);
        var before = await reader.ReadControlAsync(topics.Control, ct);
        if (before.Generation > generation)
            throw new DeclaredGapException(
                GapKinds.EngineBehind,
                $"The log is in generation {before.Generation}, the engine in {generation}: it was restored from a backup.",
                KafkaFailure.Accept
            );
        var tails = await reader.ReadAsync(topics, codec, ct);
        if (before.Generation == generation)
            RequireAcknowledged(topics, before, tails);
        producer.Begin(topics.All, tails);
        var session = new KafkaLogSession(clients, topics, before, generation, tails, producer);
        // Before its first record: a number that was used is never used again.
        await session.RememberAsync(before.Generation == generation ? before.Written : Lsn.Zero, ct);
        CrashPoint.Hit("after-log-session");
        return session;
    }

    private Task RememberAsync(Lsn written, CancellationToken ct)
    {
        var last = Acknowledged.Last;
        var sameGeneration = _before.Generation == _generation;
        var record = new ControlRecord(
            Number,
            _generation,
            written,
            last?.Xid ?? (sameGeneration ? _before.LastXid : 0),
            last?.CommitLsn ?? (sameGeneration ? _before.LastCommitLsn : Lsn.Zero),
            last?.CommitMicros ?? (sameGeneration ? _before.LastCommitMicros : 0),
            Vector()
        )
        {
            ByValue = _byValue,
        };
        return _producer.AppendAsideAsync(new TopicPartition(_topics.Control, 0), _controlKey, record.ToJson(), ct);
    }

    private static void RequireAcknowledged(LogTopics topics, ControlRecord before, IReadOnlyList<PartitionTail> tails)
    {
        foreach (var partition in topics.All)
            if (before.Vector.TryGetValue(partition.Name, out var acknowledged) && tails[partition.Index].End < acknowledged)
                throw KafkaFailure.Behind(partition.Name, tails[partition.Index].End, acknowledged);
    }
}
