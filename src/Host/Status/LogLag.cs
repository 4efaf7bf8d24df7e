using Cdc.Core.Entities;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Log.Kafka;
using Cdc.Log.Records;
using Microsoft.Extensions.Logging;

namespace Cdc.Host.Status;

/// <summary>One partition of the log.</summary>
/// <param name="LogEnd">Offset after its last record; null if the brokers cannot be asked.</param>
/// <param name="Checkpoint">The first record that is not applied; null if the engine has not begun with it.</param>
/// <param name="SecondsBehind">Age of the last applied commit, by the engine's clock; 0 when nothing waits; null if nothing was applied yet.</param>
internal sealed record PartitionLag(string Topic, int Partition, long? LogEnd, long? Checkpoint, long? MessagesBehind, double? SecondsBehind);

/// <param name="SlotBytes">WAL that the source keeps for the slot; null if it cannot be asked.</param>
internal sealed record LogLagReport(IReadOnlyList<PartitionLag> Partitions, long? MessagesBehind, double? SecondsBehind, long? SlotBytes);

/// <summary>How far the engine is behind the Kafka log, and the log behind the source. Works while the source is away.</summary>
internal sealed class LogLagReader(CdcOptions options, EntitySet entities, IRecordCodec codec, Database source, Database engine, ILogger log)
{
    private const string CheckpointsSql =
        "SELECT partition, next_offset, extract(epoch FROM clock_timestamp() - NULLIF(last_commit_at, '-infinity'))::float8 FROM cdc.checkpoints WHERE next_offset IS NOT NULL";

    public async Task<LogLagReport> ReadAsync(CancellationToken ct)
    {
        var checkpoints = await engine.UseAsync(c => c.ListAsync(CheckpointsSql, [], row => (Name: row.GetString(0), Next: row.GetInt64(1), Age: row.Double(2)), ct), ct);
        var topics = await new TopicDesk(new KafkaClients(options.Kafka, log)).DescribeAsync(LogTopics.DataTopics(entities, codec));
        // The log's end is read after the checkpoints: what is applied meanwhile makes the lag look larger, never smaller.
        var partitions = topics.Skip(1).SelectMany(t => t.Partitions.Select(p =>
        {
            var checkpoint = checkpoints.FirstOrDefault(c => c.Name == LogPartition.NameOf(t.Name, p.Number));
            var behind = checkpoint.Name is null ? (long?)null : Math.Max(0, p.High - checkpoint.Next);
            return new PartitionLag(t.Name, p.Number, p.High, checkpoint.Name is null ? null : checkpoint.Next, behind, behind == 0 ? 0 : checkpoint.Age);
        })).ToList();
        var slot = await SlotBytesAsync(ct);
        return new LogLagReport(partitions, partitions.Sum(p => p.MessagesBehind), partitions.Max(p => p.SecondsBehind), slot);
    }

    private async Task<long?> SlotBytesAsync(CancellationToken ct)
    {
        try
        {
            return (await source.UseAsync(c => SourceStatusReader.ReadAsync(c, options.Source.SlotName, ct), ct)).Slot?.RetainedBytes;
        }
        catch (Core.Failures.CdcException)
        {
            return null;
        }
    }
}
