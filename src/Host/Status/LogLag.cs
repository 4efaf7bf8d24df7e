using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Engine.Processes;
using Cdc.Engine.Status;
using Cdc.Host.Servers;

namespace Cdc.Host.Status;

/// <param name="SlotBytes">WAL that the source keeps for the slot; null if it cannot be asked.</param>
/// <param name="BytesBehind">In-process, the source's WAL that is not applied; null: not known, or over Kafka.</param>
internal sealed record LogLagReport(
    IReadOnlyList<PartitionStatus> Partitions,
    long? MessagesBehind,
    double? SecondsBehind,
    long? SlotBytes,
    long? BytesBehind
)
{
    /// <summary>As <c>cdc status</c> says it: behind a gap, or while it is let go of, the numbers only grow.</summary>
    public required string State { get; init; }

    /// <summary>The gap's kind; null: there is none.</summary>
    public required string? Gap { get; init; }

    /// <summary>Why the pipeline does not work; null: it works, or none is up.</summary>
    public required string? Reason { get; init; }

    /// <summary>For people only: offsets are LSNs.</summary>
    internal bool IsInProcess { get; init; }
}

/// <summary>
/// How far the engine is behind the log, and the Kafka log behind the source. In-process the source's own log is the one, a partition for
/// each table. Works while the source is down.
/// </summary>
/// <param name="log">Null: the log is in-process.</param>
internal sealed class LogLagReader(Database source, Database engine, string slot, EntitySet entities, LogStatusReader? log)
{
    private readonly EngineStatusReader _engine = new(entities, log is not null);

    /// <exception cref="CdcException">The engine or the brokers cannot be read.</exception>
    public async Task<LogLagReport> ReadAsync(CancellationToken ct)
    {
        var sourceStatus = await SourceAsync(ct);
        var (engineStatus, pipeline) = await engine.UseAsync(
            async c => (await _engine.ReadAsync(c, ct), await RunningProcesses.PipelineAsync(c, ct)),
            ct
        );
        var status = log is null
            ? new LogStatus(InProcess(engineStatus, sourceStatus), null, Lag.Seconds(engineStatus, sourceStatus))
            : (await log.ReadAsync(engineStatus, sourceStatus, ct))!;
        return new LogLagReport(
            status.Partitions,
            status.MessagesBehind,
            status.SecondsBehind,
            sourceStatus?.Slot?.RetainedBytes,
            log is null ? Lag.Bytes(engineStatus, sourceStatus) : null
        )
        {
            State = StatusReader.StateOf(engineStatus, pipeline),
            Gap = engineStatus.State == "gap" ? engineStatus.GapKind : pipeline?.Gap,
            Reason = (engineStatus.State == "gap" ? engineStatus.GapDetail : null) ?? PipelineView.Paused(engineStatus) ?? pipeline?.Reason,
            IsInProcess = log is null,
        };
    }

    private IReadOnlyList<PartitionStatus> InProcess(EngineStatus engineStatus, SourceStatus? sourceStatus) =>
        [
            .. StoppedTopic
                .OfEach(entities, engineStatus.Entities)
                .Select(e =>
                    new PartitionStatus(
                        $"{e.Entity.SourceSchema}.{e.Entity.SourceTable}",
                        0,
                        Number(sourceStatus?.InsertLsn),
                        // The stream's, which passes a stopped table by.
                        e.Stopped
                            is null
                            ? Number(engineStatus.ThroughLsn)
                            : null,
                        null,
                        Lag.Seconds(engineStatus, sourceStatus)
                    ).With(e.Stopped)
                ),
        ];

    private static long? Number(string? lsn) => lsn is null ? null : (long)Lsn.Parse(lsn).Value;

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
