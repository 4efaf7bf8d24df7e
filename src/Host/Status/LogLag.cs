using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Engine.Status;
using Cdc.Host.Servers;

namespace Cdc.Host.Status;

/// <param name="SlotBytes">WAL that the source keeps for the slot; null if it cannot be asked.</param>
internal sealed record LogLagReport(
    IReadOnlyList<PartitionStatus> Partitions,
    long? MessagesBehind,
    double? SecondsBehind,
    long? SlotBytes
);

/// <summary>How far the engine is behind the Kafka log, and the log behind the source. Works while the source is down.</summary>
internal sealed class LogLagReader(Database source, Database engine, string slot, EngineStatusReader engineReader, LogStatusReader log)
{
    /// <exception cref="CdcException">The engine or the brokers cannot be read.</exception>
    public async Task<LogLagReport> ReadAsync(CancellationToken ct)
    {
        var sourceStatus = await SourceAsync(ct);
        var engineStatus = await engine.UseAsync(c => engineReader.ReadAsync(c, ct), ct);
        var status = (await log.ReadAsync(engineStatus, sourceStatus, ct))!;
        return new LogLagReport(status.Partitions, status.MessagesBehind, status.SecondsBehind, sourceStatus?.Slot?.RetainedBytes);
    }

    private async Task<SourceStatus?> SourceAsync(CancellationToken ct)
    {
        try
        {
            return await source.UseAsync(c => SourceStatusReader.ReadAsync(c, slot, ct), ct);
        }
        catch (CdcException)
        {
            return null;
        }
    }
}
