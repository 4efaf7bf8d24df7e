using System.Diagnostics;
using Cdc.Bench.Measure;
using Cdc.Log.Kafka;
using Confluent.Kafka;

namespace Cdc.Bench.Kafka;

/// <summary>
/// Where the time of the Kafka log goes: one backlog through <c>cdc capture</c> alone and then through <c>cdc apply</c> alone; and the
/// records that this left in the topics consumed and produced by themselves in this process.
/// </summary>
internal sealed class StagesPart(BenchBed bed)
{
    private static readonly TimeSpan TimeOut = TimeSpan.FromSeconds(30);

    private readonly KafkaOptions _kafka = bed.Servers.Kafka!;

    private sealed record Raw(byte[] Key, byte[]? Value);

    public async Task MeasureAsync(CancellationToken ct)
    {
        await new CodecStage(bed.Figures).MeasureAsync(ct);
        await bed.RestAsync(ct);
        var before = Ends();
        var backlog = await bed.Source.WriteOrdersAsync(bed.Sizes.BacklogTransactions, ct);
        await CaptureAsync(backlog, ct);
        Produce(Consume(before));
        await ApplyAsync(backlog, ct);
    }

    private async Task CaptureAsync(Backlog backlog, CancellationToken ct)
    {
        await using var written = await Probe.OpenAsync(
            bed.Cdc.Target,
            $"SELECT coalesce(max(through_lsn) >= '{backlog.End}', false) FROM cdc.log_throughs",
            ct
        );
        await bed.Cdc.RunAloneAsync(
            "capture",
            backlog.Rows,
            guard => bed.Source.UntilSlotAsync(bed.Cdc.Slot, active: true, guard, ct),
            guard => written.UntilAsync<bool>(yes => yes, guard, ct),
            bed.Figures,
            ct
        );
    }

    private async Task ApplyAsync(Backlog backlog, CancellationToken ct)
    {
        await using var begun = await Probe.OpenAsync(
            bed.Cdc.Target,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'cdc apply %')",
            ct
        );
        await using var shown = await Probe.OpenAsync(bed.Cdc.Target, backlog.IsShownSql(bed.Cdc), ct);
        await bed.Cdc.RunAloneAsync(
            "apply",
            backlog.Rows,
            guard => begun.UntilAsync<bool>(yes => yes, guard, ct),
            guard => shown.UntilAsync<bool>(yes => yes, guard, ct),
            bed.Figures,
            ct
        );
    }

    private List<Raw> Consume(IReadOnlyDictionary<TopicPartition, long> from)
    {
        var records = new List<Raw>();
        var ends = Ends();
        using var consumer = new ConsumerBuilder<byte[], byte[]>(Settings()).Build();
        var left = from.Sum(p => ends[p.Key] - p.Value);
        consumer.Assign(from.Select(p => new TopicPartitionOffset(p.Key, p.Value)));
        Measure(
            "consume",
            (int)left,
            () =>
            {
                for (; left > 0; left--)
                {
                    var read = consumer.Consume(TimeOut) ?? throw new TimeoutException("The broker gives no more records.");
                    records.Add(new Raw(read.Message.Key, read.Message.Value));
                }
            }
        );
        return records;
    }

    private void Produce(List<Raw> records)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(
            new Dictionary<string, string>(Settings())
            {
                ["acks"] = "all",
                ["linger.ms"] = "2",
                ["queue.buffering.max.messages"] = "0",
                ["dotnet.producer.delivery.report.fields"] = "none",
            }
        ).Build();
        var topic = _kafka.TopicPrefix + ".bench";
        Measure(
            "produce",
            records.Count,
            () =>
            {
                foreach (var record in records)
                    producer.Produce(topic, new Message<byte[], byte[]> { Key = record.Key, Value = record.Value! }, _ => { });
                producer.Flush(TimeOut);
            }
        );
    }

    /// <summary>CPU of this process, which has nothing else to do, in µs a row.</summary>
    private void Measure(string stage, int rows, Action act)
    {
        using var process = Process.GetCurrentProcess();
        var (cpu, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
        act();
        process.Refresh();
        var micros = (process.TotalProcessorTime - cpu).TotalMicroseconds / rows;
        bed.Figures.Add($"stage.{stage}.rows_per_s", rows / clock.Elapsed.TotalSeconds, "rows/s");
        bed.Figures.Add($"stage.{stage}.us_per_row", micros, "µs");
    }

    private Dictionary<TopicPartition, long> Ends()
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(Settings()).Build();
        using var admin = new AdminClientBuilder(Settings()).Build();
        string[] topics = [$"{_kafka.TopicPrefix}.{OdooSource.CardTable}", $"{_kafka.TopicPrefix}.{OdooSource.HistoryTable}"];
        var partitions = topics.SelectMany(topic =>
            admin.GetMetadata(topic, TimeOut).Topics.Single().Partitions.Select(p => new TopicPartition(topic, p.PartitionId))
        );
        return partitions.ToDictionary(p => p, p => consumer.QueryWatermarkOffsets(p, TimeOut).High.Value);
    }

    private Dictionary<string, string> Settings() =>
        new(_kafka.Client) { ["bootstrap.servers"] = _kafka.BootstrapServers, ["group.id"] = _kafka.Group + "-bench" };
}
