using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Api.Odoo;

/// <summary>
/// Odoo's database as requests reach it: sessions that cannot write, few of them, a time-out, and a breaker, so that neither harms the
/// other. Its server is Odoo's own, and whoever sells there comes first.
/// </summary>
public sealed class OdooReads : IAsyncDisposable
{
    private const int FailuresInARow = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _connections;
    private readonly SemaphoreSlim _free;
    private readonly TimeSpan _timeout;
    private readonly Breaker _breaker;
    private readonly Func<CancellationToken, Task<SourcePause?>>? _pause;

    /// <param name="pause">Whether Odoo's database is let go of; null: that is not asked.</param>
    public OdooReads(
        string connectionString,
        ApiOptions options,
        TimeProvider time,
        Func<CancellationToken, Task<SourcePause?>>? pause = null
    )
    {
        _pause = pause;
        (_timeout, _free) = (options.OdooTimeout, new SemaphoreSlim(options.OdooConnections));
        _breaker = new Breaker(FailuresInARow, Pause, time);
        var seconds = Math.Max(1, (int)Math.Ceiling(_timeout.TotalSeconds));
        var settings = SessionSettings.Connection(connectionString);
        (settings.ApplicationName, settings.MaxPoolSize, settings.NoResetOnClose) = ("cdc reads", options.OdooConnections, true);
        (settings.Timeout, settings.CommandTimeout, settings.CancellationTimeout) = (seconds, seconds, 500);
        (settings.MaxAutoPrepare, settings.AutoPrepareMinUsages) = (8, 1);
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UsePhysicalConnectionInitializer(connection => MakeReadOnlyAsync(connection).GetAwaiter().GetResult(), MakeReadOnlyAsync);
        _connections = builder.BuildFor();
    }

    /// <exception cref="OdooUnavailableException">Not reached, too slow, let go of, or not tried for now.</exception>
    internal async Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken ct)
    {
        if (_pause is not null && await _pause(ct) is not null)
            throw new OdooUnavailableException("Odoo's database is let go of (cdc pause).");
        if (!_breaker.MayTry())
            throw new OdooUnavailableException("Odoo's database did not answer before, and is left alone for a moment.");
        if (!await _free.WaitAsync(_timeout, ct))
            throw new OdooUnavailableException("No connection to Odoo's database became free in time.");
        try
        {
            var answer = await _connections.UseAsync(use, ct);
            _breaker.Succeeded();
            return answer;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _breaker.Failed();
            throw new OdooUnavailableException("Odoo's database cannot be read.", e);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Ends the sessions that nobody uses.</summary>
    public void Release() => _connections.Clear();

    public async ValueTask DisposeAsync()
    {
        await _connections.DisposeAsync();
        _free.Dispose();
    }

    private static async Task MakeReadOnlyAsync(NpgsqlConnection connection)
    {
        // First: it refuses a session that a pooler shares, in which nothing may be set.
        await connection.PinAsync(CancellationToken.None);
        await connection.Statement("SET default_transaction_read_only = on").ExecuteAsync(CancellationToken.None);
    }
}

/// <summary>The other side is asked instead, where it may be.</summary>
internal sealed class OdooUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
