using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Engine.Processes;
using Cdc.Engine.Status;
using Cdc.Host.Servers;
using Cdc.Reconcile.Alerts;
using Npgsql;

namespace Cdc.Host.Status;

/// <summary>Combines what the servers report. If one is down, its part is empty and says why.</summary>
/// <param name="log">Null: the log is in-process.</param>
internal sealed class StatusReader(
    Database source,
    Database engine,
    string slot,
    EngineStatusReader engineReader,
    LogStatusReader? log,
    TimeProvider time
) : IStatusSource
{
    public async Task<StatusReport> ReadAsync(CancellationToken ct)
    {
        // The source first: what it has written until now the engine can only have applied by then, so lag is never understated.
        var (sourceStatus, sourceServer) = await TryAsync(
            source.Name,
            () => source.UseAsync(c => SourceStatusReader.ReadAsync(c, slot, ct), ct)
        );
        var (engineStatus, engineServer) = await TryAsync(engine.Name, () => engine.UseAsync(c => ReadEngineAsync(c, ct), ct));
        // The ends of the log last: what is applied in between makes the lag look larger, never smaller.
        var (logStatus, logServer) = log is null
            ? (null, null)
            : await TryAsync(log.Name, () => log.ReadAsync(engineStatus, sourceStatus, ct));
        return new StatusReport
        {
            At = time.GetUtcNow(),
            State = StateOf(engineStatus, engineStatus?.Pipeline),
            Pipeline = engineStatus?.Pipeline,
            Running = sourceStatus is null ? null : sourceStatus.Slot?.Active ?? false,
            BytesBehind = Lag.Bytes(engineStatus, sourceStatus),
            SecondsBehind = Lag.Seconds(engineStatus, sourceStatus),
            EngineServer = engineServer,
            SourceServer = sourceServer,
            LogServer = logServer,
            Engine = engineStatus,
            Source = sourceStatus,
            Log = logStatus,
        };
    }

    /// <summary>A gap is one while the source is let go of, too, and where only the process that met it knows.</summary>
    internal static string StateOf(EngineStatus? engine, PipelineStatus? pipeline) =>
        (engine, pipeline) switch
        {
            (null, _) => "unknown",
            (_, { Gap: not null }) => "gap",
            ({ State: "streaming", PausedUntil: not null }, _) => "paused",
            _ => engine.State,
        };

    private async Task<EngineStatus> ReadEngineAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var status = await engineReader.ReadAsync(connection, ct);
        var alerts = await AlertTable.ListAsync(connection, ct);
        return status with
        {
            Pipeline = await RunningProcesses.PipelineAsync(connection, ct),
            Alerts =
            [
                .. alerts.Where(a => a.FiredAt is not null).Select(a => new FiredAlert(a.Name, a.FiredAt!.Value, a.Scope, a.Message)),
            ],
        };
    }

    private static async Task<(T?, ServerStatus)> TryAsync<T>(string server, Func<Task<T>> read)
        where T : class?
    {
        try
        {
            return (await read(), new ServerStatus(server, Readable: true, null, null));
        }
        catch (CdcException failure)
        {
            return (null, new ServerStatus(server, Readable: false, failure.Message, failure.Remedy));
        }
    }
}
