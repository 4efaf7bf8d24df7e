using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Npgsql;

namespace Cdc.Api.Engine;

/// <summary>
/// The engine as requests reach it: a fixed number of connections with prepared statements, a bounded queue before them, and a time-out for
/// both. A slow or unreachable engine costs each request at most that time, and requests never pile up.
/// </summary>
internal sealed class EngineReads : IAsyncDisposable
{
    /// <summary>Requests that may wait for one connection each.</summary>
    private const int QueuePerConnection = 64;

    private readonly NpgsqlDataSource _connections;
    private readonly SemaphoreSlim _free;
    private readonly TimeSpan _timeout;
    private int _waiting;

    public EngineReads(string connectionString, ApiOptions options)
    {
        var settings = Settings(connectionString, options);
        (_connections, _free, _timeout) = (SessionSettings.Pool(settings), new SemaphoreSlim(options.Connections), options.Timeout);
        LongestQueue = options.Connections * QueuePerConnection;
        ConnectionString = settings.ConnectionString;
    }

    /// <summary>Requests that may wait.</summary>
    public int LongestQueue { get; }

    /// <summary>For a connection outside the pool, with the same time-outs.</summary>
    public string ConnectionString { get; }

    /// <summary>How requests connect to the engine, and to its replicas.</summary>
    public static NpgsqlConnectionStringBuilder Settings(string connectionString, ApiOptions options)
    {
        var seconds = Math.Max(1, (int)Math.Ceiling(options.Timeout.TotalSeconds));
        var settings = SessionSettings.Connection(connectionString);
        settings.ApplicationName = EngineRole.Api.ApplicationName();
        settings.MaxPoolSize = options.Connections;
        // The commands are few: each is prepared at its first use on a connection.
        settings.MaxAutoPrepare = 32;
        settings.AutoPrepareMinUsages = 1;
        settings.Timeout = seconds;
        settings.CommandTimeout = seconds;
        settings.CancellationTimeout = 500;
        settings.TcpKeepAlive = !ServerHosts.UsesSocket(settings);
        return settings;
    }

    /// <exception cref="EngineUnavailableException">Not reached, too slow, or too many are waiting.</exception>
    public async Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken ct)
    {
        await EnterAsync(ct);
        try
        {
            return await _connections.UseAsync(use, ct);
        }
        catch (Exception e) when (WhyUnavailable(e) is { } why)
        {
            throw new EngineUnavailableException(why, e);
        }
        finally
        {
            _free.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _connections.DisposeAsync();
        _free.Dispose();
    }

    private async Task EnterAsync(CancellationToken ct)
    {
        if (_free.Wait(0, CancellationToken.None))
            return;
        if (Interlocked.Increment(ref _waiting) > LongestQueue)
        {
            Interlocked.Decrement(ref _waiting);
            throw EngineUnavailableException.TooManyWait();
        }
        try
        {
            if (!await _free.WaitAsync(_timeout, ct))
                throw new EngineUnavailableException("The engine is too slow: no connection to it became free in time.");
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Null: a defect of ours, or the caller went away.</summary>
    private static string? WhyUnavailable(Exception e) =>
        e switch
        {
            // A value that PostgreSQL cannot take should have been refused before.
            PostgresException { SqlState: var state } when SqlStates.IsOfRow(state) => null,
            PostgresException => ServerFailure.Of(Server.Engine, e)!.Kind switch
            {
                FailureKind.Configuration => "The engine refuses the login of this Api.",
                FailureKind.Migration or FailureKind.Preflight =>
                    "The engine does not have the tables that this version needs, or this Api may not read them.",
                _ => "The engine refuses requests for now.",
            },
            SharedSessionException => "The engine is behind a pooler that shares sessions; see 'cdc check'.",
            NpgsqlException { InnerException: TimeoutException } or TimeoutException => "The engine did not answer in time.",
            _ when MissingPassword.Is(e) => "The engine refuses the login of this Api.",
            _ => ServerFailure.Of(Server.Engine, e) is null ? null : "The engine cannot be reached.",
        };
}

/// <summary>Answered as 503, to be tried again.</summary>
internal sealed class EngineUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    public static EngineUnavailableException TooManyWait() => new("Too many requests are waiting for the engine.");
}
