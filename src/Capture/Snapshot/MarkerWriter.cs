using Cdc.Capture.Source;
using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Snapshot;

/// <summary>
/// One connection for markers, heartbeats and reads of the running transactions. A marker before PostgreSQL 17 is flushed by nothing but
/// the WAL writer's next round; a transaction id taken beside it makes its commit flush both. Only locally: a missing synchronous standby
/// must not hold a marker up.
/// </summary>
internal sealed class MarkerWriter(NpgsqlConnection connection) : IAsyncDisposable
{
    private readonly SemaphoreSlim _lock = new(1, 1);
    private readonly SourceSession _session = new(connection);

    public static async Task<MarkerWriter> OpenAsync(SourceOptions options, CancellationToken ct)
    {
        var connection = await SourceConnection.OpenForHeartbeatAsync(options, ct);
        await connection.Statement("SET synchronous_commit = local").ExecuteAsync(ct);
        return new MarkerWriter(connection);
    }

    public Task<SourceSnapshot> SnapshotAsync(CancellationToken ct) => LockedAsync(() => _session.SnapshotAsync(ct), ct);

    /// <inheritdoc cref="SourceSession.SnapshotAboveWritersAsync"/>
    public Task<SourceSnapshot> SnapshotAboveWritersAsync(CancellationToken ct) =>
        LockedAsync(() => _session.SnapshotAboveWritersAsync(ct), ct);

    public Task<Lsn> CurrentWalLsnAsync(CancellationToken ct) => LockedAsync(() => _session.CurrentWalLsnAsync(ct), ct);

    /// <summary>Returns the marker's LSN.</summary>
    public Task<Lsn> WriteAsync(string prefix, byte[] content, CancellationToken ct) =>
        LockedAsync(() => _session.EmitMarkerAsync(prefix, content, ct), ct);

    /// <inheritdoc cref="SourceSession.EmitHeartbeatAsync"/>
    public Task<Lsn> WriteHeartbeatAsync(string prefix, CancellationToken ct) =>
        LockedAsync(() => _session.EmitHeartbeatAsync(prefix, ct), ct);

    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync();
        _lock.Dispose();
    }

    private async Task<T> LockedAsync<T>(Func<Task<T>> action, CancellationToken ct)
    {
        await _lock.WaitAsync(ct);
        try
        {
            return await action();
        }
        finally
        {
            _lock.Release();
        }
    }
}
