using System.Diagnostics;
using Cdc.Bench.Measure;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Host.Configuration;
using Cdc.Host.Pipeline;
using Cdc.Host.Servers;
using Cdc.Log.Kafka;
using Cdc.Log.Records;
using Confluent.Kafka;

namespace Cdc.Bench.Kafka;

/// <summary>
/// Where the time of the Kafka log goes: one backlog through <c>cdc capture</c> alone and then through <c>cdc apply</c> alone; and the
/// records that this left in the topics encoded, produced, consumed and decoded, each by itself in this process.
/// </summary>
internal sealed class StagesPart
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private sealed record Raw(string Topic, byte[] Key, byte[]? Value);

    private readonly BenchBed _bed;
    private readonly KafkaOptions _kafka;
    private readonly EntitySet _entities;
    private readonly IRecordCodec _codec;

    private StagesPart(BenchBed bed, KafkaOptions kafka, EntitySet entities, IRecordCodec codec) => (_bed, _kafka, _entities, _codec) = (bed, kafka, entities, codec);

    public static async Task MeasureAsync(BenchBed bed, CancellationToken ct)
    {
        await using var engine = Database.Engine(bed.Cdc.Target.ConnectionString);
        var (options, kafka) = (new CdcOptions(), bed.Servers.Kafka!);
        var entities = EntityFile.Load(options.Entities);
        await new StagesPart(bed, kafka, entities, TopicCodec.Create(options with { Kafka = kafka }, entities, engine.Connections)).MeasureAsync(ct);
    }

    private async Task MeasureAsync(CancellationToken ct)
    {
        await _bed.RestAsync(ct);
        var before = Ends();
        var backlog = await _bed.Source.WriteOrdersAsync(_bed.Sizes.BacklogTransactions, ct);
        var capture = await CaptureAsync(backlog, ct);
        var records = Consume(before);
        await ApplyAsync(backlog, ct);
        var changes = Decode(records);
        var encoded = await EncodeAsync(changes, ct);
        var produced = Produce(records);
        _bed.Figures.Add("stage.source_read.us_per_row", capture - encoded - produced, "µs");
    }

    private async Task<double> CaptureAsync(Backlog backlog, CancellationToken ct)
    {
        await using var written = await Probe.OpenAsync(_bed.Cdc.Target, $"SELECT coalesce(max(through_lsn) >= '{backlog.End}', false) FROM cdc.log_throughs", ct);
        return await _bed.Cdc.RunAloneAsync("capture", backlog.Rows, guard => _bed.Source.UntilSlotAsync(_bed.Cdc.Slot, active: true, guard, ct),
            guard => written.UntilAsync<bool>(yes => yes, guard, ct), _bed.Figures, ct);
    }

    private async Task ApplyAsync(Backlog backlog, CancellationToken ct)
    {
        await using var begun = await Probe.OpenAsync(_bed.Cdc.Target, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'cdc apply %')", ct);
        await using var shown = await Probe.OpenAsync(_bed.Cdc.Target, backlog.IsShownSql(_bed.Cdc), ct);
        await _bed.Cdc.RunAloneAsync("apply", backlog.Rows, guard => begun.UntilAsync<bool>(yes => yes, guard, ct), guard => shown.UntilAsync<bool>(yes => yes, guard, ct), _bed.Figures, ct);
    }

    private List<Raw> Consume(IReadOnlyDictionary<TopicPartition, long> from)
    {
        var records = new List<Raw>();
        var ends = Ends();
        using var consumer = new ConsumerBuilder<byte[], byte[]>(Settings()).Build();
        var left = from.Sum(p => ends[p.Key] - p.Value);
        consumer.Assign(from.Select(p => new TopicPartitionOffset(p.Key, p.Value)));
        Measure("consume", (int)left, () =>
        {
            for (; left > 0; left--)
            {
                var read = consumer.Consume(Patience) ?? throw new TimeoutException("The broker gives no more records.");
                records.Add(new Raw(read.Topic, read.Message.Key, read.Message.Value));
            }
        });
        return records;
    }

    private List<RowChange> Decode(List<Raw> records)
    {
        var changes = new List<ChangeEvent>(records.Count);
        var decoders = records.Select(r => r.Topic).Distinct().ToDictionary(t => t, _codec.Decoder);
        foreach (var record in records.DistinctBy(r => r.Topic).Where(r => r.Value is not null))
            decoders[record.Topic].LearnAsync(record.Key, record.Value, CancellationToken.None).GetAwaiter().GetResult();
        Measure("decode", records.Count, () =>
        {
            foreach (var record in records)
                if (record.Value is not null && !decoders[record.Topic].TryDecode(record.Key, record.Value, changes, out _))
                    throw new InvalidOperationException($"{record.Topic} has records of more than one schema.");
        });
        return [.. changes.OfType<RowChange>()];
    }

    private async Task<double> EncodeAsync(List<RowChange> changes, CancellationToken ct)
    {
        var encoders = new Dictionary<TableSchema, IRecordEncoder>();
        foreach (var schema in changes.Select(c => c.Schema).Distinct()) encoders[schema] = await _codec.EncoderAsync(schema, ct);
        var (key, value) = (new System.Buffers.ArrayBufferWriter<byte>(64), new System.Buffers.ArrayBufferWriter<byte>(4096));
        return Measure("encode", changes.Count, () =>
        {
            foreach (var change in changes)
            {
                key.ResetWrittenCount();
                value.ResetWrittenCount();
                encoders[change.Schema].EncodeKey(change.Key, key);
                encoders[change.Schema].EncodeValue(change, new RecordStamp(1, 1), value);
            }
        });
    }

    private double Produce(List<Raw> records)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new Dictionary<string, string>(Settings())
        {
            ["acks"] = "all", ["linger.ms"] = "2", ["queue.buffering.max.messages"] = "0", ["dotnet.producer.delivery.report.fields"] = "none",
        }).Build();
        var topic = _kafka.TopicPrefix + ".bench";
        return Measure("produce", records.Count, () =>
        {
            foreach (var record in records) producer.Produce(topic, new Message<byte[], byte[]> { Key = record.Key, Value = record.Value! }, _ => { });
            producer.Flush(Patience);
        });
    }

    /// <summary>CPU of this process, which has nothing else to do, in µs a row.</summary>
    private double Measure(string stage, int rows, Action act)
    {
        using var process = Process.GetCurrentProcess();
        var (cpu, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
        act();
        process.Refresh();
        var micros = (process.TotalProcessorTime - cpu).TotalMicroseconds / rows;
        _bed.Figures.Add($"stage.{stage}.rows_per_s", rows / clock.Elapsed.TotalSeconds, "rows/s");
        _bed.Figures.Add($"stage.{stage}.us_per_row", micros, "µs");
        return micros;
    }

    private Dictionary<TopicPartition, long> Ends()
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(Settings()).Build();
        using var admin = new AdminClientBuilder(Settings()).Build();
        var partitions = LogTopics.DataTopics(_entities, _codec)
            .SelectMany(topic => admin.GetMetadata(topic, Patience).Topics.Single().Partitions.Select(p => new TopicPartition(topic, p.PartitionId)));
        return partitions.ToDictionary(p => p, p => consumer.QueryWatermarkOffsets(p, Patience).High.Value);
    }

    private Dictionary<string, string> Settings() => new(_kafka.Client) { ["bootstrap.servers"] = _kafka.BootstrapServers, ["group.id"] = _kafka.Group + "-bench" };
}
