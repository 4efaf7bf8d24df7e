using Cdc.Core.Fences;
using Cdc.Core.Postgres;

namespace Cdc.Engine.Fences;

/// <summary>Requests for fences as they are announced: a connection that only listens.</summary>
public sealed class FenceSignals(EngineOptions options)
{
    private TaskCompletionSource _next = NewSignal();

    /// <summary>Completes at the next notification. Take it before the query, so that none is missed between query and wait.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public async Task RunAsync(CancellationToken ct)
    {
        await using var connection = await EngineConnection.OpenAsync(options, EngineRole.Fences, ct);
        connection.Notification += (_, _) => Raise();
        await connection.Statement($"LISTEN {FenceChannels.Asks}").ExecuteAsync(ct);
        // Requests from before this connection listened.
        Raise();
        while (true)
            await connection.WaitAsync(ct);
    }

    /// <summary>Until <paramref name="signal"/>, or the time has passed.</summary>
    public static async Task WaitAsync(Task signal, TimeSpan atMost, CancellationToken ct)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAny(signal, Task.Delay(atMost, enough.Token));
        await enough.CancelAsync();
        ct.ThrowIfCancellationRequested();
    }

    private void Raise() => Interlocked.Exchange(ref _next, NewSignal()).SetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
