using System.Collections.Concurrent;
using Npgsql;

namespace Cdc.Engine;

/// <summary>
/// Connections that have one user each, with what belongs to them (such as temporary tables), and are kept for the next user. One that
/// failed, or broke while it was idle, is closed.
/// </summary>
/// <typeparam name="T">What is made with a connection; disposes it.</typeparam>
public sealed class ConnectionPool<T>(Func<CancellationToken, Task<T>> open, Func<T, NpgsqlConnection> connectionOf) : IAsyncDisposable
    where T : IAsyncDisposable
{
    private readonly ConcurrentBag<T> _idle = [];
    private volatile bool _isDisposed;

    /// <exception cref="NpgsqlException">The engine failed, or the connection is lost.</exception>
    public async Task<TResult> UseAsync<TResult>(Func<T, Task<TResult>> work, CancellationToken ct)
    {
        var taken = await TakeAsync(ct);
        try
        {
            var result = await EngineConnection.UseAsync(connectionOf(taken), _ => work(taken));
            _idle.Add(taken);
            if (_isDisposed)
                await CloseIdleAsync();
            return result;
        }
        catch
        {
            await taken.DisposeAsync();
            throw;
        }
    }

    /// <summary>One that is in use is closed when its use has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await CloseIdleAsync();
    }

    private async Task<T> TakeAsync(CancellationToken ct)
    {
        while (_idle.TryTake(out var idle))
        {
            if (EngineConnection.IsOpen(connectionOf(idle)))
                return idle;
            await idle.DisposeAsync();
        }
        return await open(ct);
    }

    private async Task CloseIdleAsync()
    {
        while (_idle.TryTake(out var idle))
            await idle.DisposeAsync();
    }
}
