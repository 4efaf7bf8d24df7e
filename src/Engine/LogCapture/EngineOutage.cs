using Microsoft.Extensions.Logging;

namespace Cdc.Engine.LogCapture;

/// <summary>
/// What a capture over Kafka does while the engine is unreachable, or refuses, whatever it answers: it goes on, and what needs the engine
/// waits or is left out. Odoo's WAL must not pile up for something that is to be repaired on the engine.
/// </summary>
internal sealed class EngineOutage(ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary><paramref name="otherwise"/>, after a pause, if the engine is unreachable or refuses.</summary>
    public async Task<T> OrElseAsync<T>(Func<Task<T>> work, T otherwise, CancellationToken ct)
    {
        try
        {
            return await work();
        }
        catch (EngineException e)
        {
            await PauseAsync(e, ct);
            return otherwise;
        }
    }

    /// <summary>Repeats the work until the engine does it. What was committed when the engine failed may be done twice.</summary>
    public async Task<T> RetryUntilAvailableAsync<T>(Func<Task<T>> work, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return await work();
            }
            catch (EngineException e)
            {
                await PauseAsync(e, ct);
            }
        }
    }

    public Task OrLeaveOutAsync(Func<Task> work, CancellationToken ct) => OrElseAsync(() => Done(work), false, ct);

    public Task RetryUntilAvailableAsync(Func<Task> work, CancellationToken ct) => RetryUntilAvailableAsync(() => Done(work), ct);

    private Task PauseAsync(EngineException e, CancellationToken ct)
    {
        EngineOutageLog.Waits(log, e.Message, e.Failure.Remedy);
        return Task.Delay(Pause, ct);
    }

    private static async Task<bool> Done(Func<Task> work)
    {
        await work();
        return true;
    }
}

internal static partial class EngineOutageLog
{
    [LoggerMessage(520, LogLevel.Warning, "{Reason} {Remedy} Capture goes on; what needs the engine waits for it")]
    public static partial void Waits(ILogger log, string reason, string remedy);

    [LoggerMessage(
        522,
        LogLevel.Information,
        "TRUNCATE of {Table}: capture waits until the engine has applied what comes before it, and writes a delete for each key then"
    )]
    public static partial void TruncateWaits(ILogger log, string table);
}
