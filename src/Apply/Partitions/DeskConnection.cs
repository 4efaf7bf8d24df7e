using Cdc.Engine;
using Npgsql;

namespace Cdc.Apply.Partitions;

/// <summary>One connection to the engine, opened at first use; statements one at a time.</summary>
internal sealed class DeskConnection(EngineOptions options) : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private NpgsqlConnection? _connection;

    public Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken ct) =>
        EngineErrors.GuardAsync(async () =>
        {
            await _turn.WaitAsync(ct).ConfigureAwait(false);
            try
            {
                _connection ??= await EngineConnection
                    .OpenAsync(options with { SynchronousCommit = true }, "capture", ct)
                    .ConfigureAwait(false);
                return await use(_connection).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        });

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync().ConfigureAwait(false);
        _turn.Dispose();
    }
}
