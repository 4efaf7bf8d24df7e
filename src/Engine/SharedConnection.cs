using Npgsql;

namespace Cdc.Engine;

/// <summary>
/// One connection to the engine that several tasks share: opened at first use, used by one of them at a time. A failure is thrown to the
/// task that met it; the connection is closed then, and the next user gets a new one. What the engine rolled back for another transaction's
/// sake is repeated on the same connection.
/// </summary>
public sealed class SharedConnection(EngineOptions options, EngineRole role) : IAsyncDisposable
{
    // Never disposed: its waiters would wait for ever.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private NpgsqlConnection? _connection;
    private volatile bool _isDisposed;

    /// <param name="work">One statement or one whole transaction: it may be repeated.</param>
    /// <exception cref="EngineException">The engine failed.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed meanwhile.</exception>
    public Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken ct) =>
        EngineErrors.GuardAsync(async () =>
        {
            await _turn.WaitAsync(ct);
            try
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return await UseAloneAsync(work, ct);
            }
            finally
            {
                _turn.Release();
                await CloseIfDisposedAsync();
            }
        });

    public Task UseAsync(Func<NpgsqlConnection, Task> work, CancellationToken ct) =>
        UseAsync(
            async connection =>
            {
                await work(connection);
                return true;
            },
            ct
        );

    /// <summary>Does not wait for a user: the last one closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await CloseIfDisposedAsync();
    }

    private async Task<T> UseAloneAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken ct)
    {
        // It may have broken since it was used last: idle connections are watched too.
        if (_connection is { } last && !EngineConnection.IsOpen(last))
            await CloseAsync();
        var connection = _connection ??= await EngineConnection.OpenAsync(options, role, ct);
        try
        {
            return await ConflictRetry.RunAsync(() => EngineConnection.UseAsync(connection, work), ct);
        }
        catch
        {
            // No other user gets a connection that failed.
            await CloseAsync();
            throw;
        }
    }

    private async Task CloseIfDisposedAsync()
    {
        if (!_isDisposed || !await _turn.WaitAsync(TimeSpan.Zero))
            return;
        try
        {
            await CloseAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task CloseAsync()
    {
        var connection = _connection;
        _connection = null;
        if (connection is not null)
            await connection.DisposeAsync();
    }
}
