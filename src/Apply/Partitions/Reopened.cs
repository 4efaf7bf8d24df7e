using Cdc.Core.Failures;
using Cdc.Engine;
using Microsoft.Extensions.Logging;

namespace Cdc.Apply.Partitions;

/// <summary>
/// Something with connections to the engine, made anew when the engine was away: over Kafka a capture session goes on meanwhile. Safe for
/// concurrent use.
/// </summary>
internal sealed class Reopened<T>(Func<T> open, ILogger log) : IAsyncDisposable
    where T : class, IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private T? _current;

    /// <summary><paramref name="otherwise"/> where the engine is away.</summary>
    public async Task<R> TryAsync<R>(Func<T, Task<R>> use, R otherwise, CancellationToken ct)
    {
        var current = Current();
        try
        {
            return await use(current).ConfigureAwait(false);
        }
        catch (Exception e)
            when (e is EngineException { Failure.Kind: FailureKind.Unavailable }
                || (e is not OperationCanceledException && IsDropped(current))
            )
        {
            // Whoever else used it when it was dropped failed for the same reason.
            EngineAwayLog.Waits(log, e.Message);
            await DropAsync(current).ConfigureAwait(false);
            await Task.Delay(Pause, ct).ConfigureAwait(false);
            return otherwise;
        }
    }

    /// <summary>Tries until the engine is there.</summary>
    public async Task<R> InsistAsync<R>(Func<T, Task<R>> use, CancellationToken ct)
        where R : class
    {
        while (true)
            if (await TryAsync<R?>(async current => await use(current).ConfigureAwait(false), null, ct).ConfigureAwait(false) is { } result)
                return result;
    }

    public async ValueTask DisposeAsync()
    {
        if (_current is { } current)
            await current.DisposeAsync().ConfigureAwait(false);
    }

    private T Current()
    {
        lock (_lock)
            return _current ??= open();
    }

    private bool IsDropped(T used)
    {
        lock (_lock)
            return !ReferenceEquals(_current, used);
    }

    private async Task DropAsync(T failed)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(_current, failed))
                return;
            _current = null;
        }
        await failed.DisposeAsync().ConfigureAwait(false);
    }
}

internal static partial class EngineAwayLog
{
    [LoggerMessage(520, LogLevel.Warning, "{Reason} Capture goes on; what needs the engine waits for it")]
    public static partial void Waits(ILogger log, string reason);
}
