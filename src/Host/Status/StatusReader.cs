using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Host.Servers;

namespace Cdc.Host.Status;

/// <summary>Puts both servers' accounts together. One that is down leaves its half empty and says why.</summary>
internal sealed class StatusReader(Database source, Database engine, string slot, EngineStatusReader engineReader, TimeProvider time) : IStatusSource
{
    public async Task<StatusReport> ReadAsync(CancellationToken ct)
    {
        // The source first: what it has written until now the engine can only have applied by then, so lag is never understated.
        var (sourceStatus, sourceServer) = await TryAsync(source, () => source.UseAsync(c => SourceStatusReader.ReadAsync(c, slot, ct), ct));
        var (engineStatus, engineServer) = await TryAsync(engine, () => engine.UseAsync(c => engineReader.ReadAsync(c, ct), ct));
        return new StatusReport
        {
            At = time.GetUtcNow(),
            State = engineStatus?.State ?? "unknown",
            Running = sourceStatus is null ? null : sourceStatus.Slot?.Active ?? false,
            BytesBehind = Lag.Bytes(engineStatus, sourceStatus),
            SecondsBehind = Lag.Seconds(engineStatus, sourceStatus),
            EngineServer = engineServer,
            SourceServer = sourceServer,
            Engine = engineStatus,
            Source = sourceStatus,
        };
    }

    private static async Task<(T?, ServerStatus)> TryAsync<T>(Database server, Func<Task<T>> read) where T : class
    {
        try
        {
            return (await read(), new ServerStatus(server.Name, Readable: true, null, null));
        }
        catch (CdcException failure)
        {
            return (null, new ServerStatus(server.Name, Readable: false, failure.Message, failure.Remedy));
        }
    }
}
