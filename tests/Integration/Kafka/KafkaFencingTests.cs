using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Declaration;
using Cdc.Log.Kafka;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Sessions over a broker that fences. That what was aborted is not read only a real broker shows: the mock hides nothing.</summary>
public sealed class KafkaFencingTests : IDisposable
{
    private readonly MockCluster _cluster = new();
    private readonly KafkaOptions _options;
    private readonly KafkaClients _clients;
    private readonly PlainCodec _codec;
    private readonly EntitySet _entities = EntityFile.Load(SourceTree.PathOf("schemas/entities.json"));
    private readonly LogPartition _partition;

    public KafkaFencingTests()
    {
        _options = _cluster.Options;
        _clients = new KafkaClients(_options, NullLogger.Instance);
        _codec = new PlainCodec(_entities, _options.TopicPrefix);
        _cluster.CreateTopics(_options, LogTopics.DataTopics(_entities, _codec.TopicOf));
        _partition = new LogPartition(0, _codec.TopicOf(_entities.All[0]), 0);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Who_was_replaced_appends_nothing_any_more()
    {
        using var first = await BeginAsync();
        await AppendAsync(first, "first");
        using var second = await BeginAsync();
        await AppendAsync(second, "second");
        first.Append(0, null, Bytes("late"));
        await AssertFencedAsync(first.FlushAsync(Ct));
        Assert.Equal(["first", "second"], Records());
    }

    [Fact]
    public async Task Records_on_their_way_when_another_takes_over_never_arrive()
    {
        using var first = await BeginAsync();
        await AppendAsync(first, "first");
        var held = _cluster.HoldAppend();
        first.Append(0, null, Bytes("on its way"));
        var flushed = first.FlushAsync(Ct);
        await held.Reached.WaitAsync(Ct);
        using var second = await BeginAsync();
        await AppendAsync(second, "second");
        held.Release();
        await AssertFencedAsync(flushed);
        Assert.Equal(["first", "second"], Records());
    }

    [Fact]
    public async Task A_boundary_is_reached_when_its_transaction_is_committed_and_what_is_appended_meanwhile_goes_into_the_next()
    {
        using var producer = await BeginAsync();
        var held = _cluster.HoldEndOfTransaction();
        producer.Append(0, null, Bytes("one"));
        var one = producer.FlushAsync(Ct);
        await held.Reached.WaitAsync(Ct);
        producer.Append(0, null, Bytes("two"));
        producer.Append(0, null, Bytes("three"));
        var three = producer.FlushAsync(Ct);
        Assert.Equal((false, 0), (one.IsCompleted, producer.Vector()[_partition.Name]));
        Assert.Equal(["one"], Records());
        held.Release();
        await one;
        await three;
        Assert.Equal(["one", "two", "three"], Records());
        // The first transaction's end has taken an offset.
        Assert.Equal(4, producer.Vector()[_partition.Name]);
    }

    [Fact]
    public async Task What_was_appended_and_not_waited_for_is_committed_when_the_producer_ends()
    {
        using (var producer = await BeginAsync())
            producer.Append(0, null, Bytes("last words"));
        Assert.Equal(["last words"], Records());
        using var ends = new LogEndReader(_clients, TopicRecords.Patience);
        // The record, and its transaction's end.
        Assert.Equal(2, (await ends.ReadAsync([_partition.Topic], Ct))[_partition.Topic][0]);
    }

    [Fact]
    public async Task A_session_that_was_replaced_does_not_remember_anything_any_more()
    {
        await using var first = await OpenSessionAsync();
        await first.RecordWrittenAsync(new Lsn(10), Ct);
        await using var second = await OpenSessionAsync();
        await AssertFencedAsync(first.RecordWrittenAsync(new Lsn(20), Ct));
        var memory = await KafkaLogSession.ReadMemoryAsync(_clients, Ct);
        Assert.Equal((second.Number, new Lsn(10)), (memory.Session, memory.Written));
        Assert.Equal(first.Number + 1, second.Number);
    }

    [Theory]
    [InlineData(ErrorCode.TransactionalIdAuthorizationFailed, FailureKind.Preflight, "--operation Write --transactional-id")]
    [InlineData(ErrorCode.InvalidTransactionTimeout, FailureKind.Configuration, "CDC__Kafka__Client__transaction_timeout_ms")]
    public async Task A_transactional_id_that_the_brokers_refuse_is_named_with_its_remedy(ErrorCode error, FailureKind kind, string remedy)
    {
        _cluster.AnswerProducerWith((int)error);
        var thrown = await Assert.ThrowsAnyAsync<Exception>(OpenSessionAsync);
        var refused = thrown as CdcException ?? KafkaFailure.Explain(thrown)!;
        Assert.Equal(kind, refused.Kind);
        Assert.Contains(remedy, refused.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void The_transactional_ids_are_the_logs_and_can_be_chosen()
    {
        var id = _options.TopicPrefix + ".cdc.capture";
        Assert.Equal([id, id + ".2"], _clients.TransactionalIds);
        Assert.Equal(["theirs", "theirs.2"], Clients("transactional_id", "theirs").TransactionalIds);
        Assert.Empty(Clients("enable_idempotence", "false").TransactionalIds);
        KafkaClients Clients(string name, string value) =>
            new(_options with { Client = new Dictionary<string, string> { [name] = value } }, NullLogger.Instance);
    }

    private async Task<LogProducer> BeginAsync()
    {
        var producer = LogProducer.Create(_clients);
        await producer.FenceAsync(Ct);
        producer.Begin([_partition], [new PartitionTail(0, ChangePosition.Origin, null)]);
        return producer;
    }

    private async Task<KafkaLogSession> OpenSessionAsync() =>
        await KafkaLogSession.OpenAsync(
            _clients,
            await LogTopics.ReadAsync(_clients, _entities, _codec, Ct),
            _codec,
            1,
            NullLogger.Instance,
            Ct
        );

    private static Task AppendAsync(LogProducer producer, string text)
    {
        producer.Append(0, null, Bytes(text));
        return producer.FlushAsync(Ct);
    }

    private static async Task AssertFencedAsync(Task appended) =>
        Assert.IsType<FencedException>(
            KafkaFailure.Explain(await Assert.ThrowsAnyAsync<KafkaException>(() => appended.WaitAsync(TimeSpan.FromSeconds(30), Ct)))
        );

    private IEnumerable<string> Records() =>
        TopicRecords
            .RecordsOf(_options, new TopicPartition(_partition.Topic, _partition.Number))
            .Select(r => Encoding.UTF8.GetString(r.Value!));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
