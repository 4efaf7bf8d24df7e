using System.Diagnostics;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Host.Servers;

/// <summary>One of the two servers, and what its failures mean to the user of a command.</summary>
internal sealed class Database : IAsyncDisposable
{
    public const int MostConnections = 4;

    private static readonly TimeSpan LongestLookForLocks = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _connections;
    private readonly Server _server;
    private readonly TimeSpan? _patience;
    private readonly Func<CancellationToken, Task<SourcePause?>>? _pause;
    private Task _asked = Task.CompletedTask;

    private Database(
        Server server,
        string name,
        string connectionString,
        TimeSpan? patience,
        Func<CancellationToken, Task<SourcePause?>>? pause = null
    )
    {
        _pause = pause;
        var settings = ServerTimeouts.Settings(connectionString);
        _patience = patience;
        if (patience is { } atMost)
            settings.Timeout = settings.CommandTimeout = Math.Max(1, (int)Math.Ceiling(atMost.TotalSeconds));
        (settings.ApplicationName, settings.MaxPoolSize) = ("cdc", MostConnections);
        (Name, _server, _connections) = ($"{name} {ServerHosts.NameOf(settings)}", server, SessionSettings.Pool(settings));
    }

    /// <summary>Such as <c>source db.example:5432/odoo</c>. Without user or password.</summary>
    public string Name { get; }

    /// <param name="patience">For each question, by one caller at a time, whatever the connection string says; null: as that and our
    /// defaults say. A server that hangs must not make its watcher hang.</param>
    /// <param name="pause">Whether it is let go of just now; null: that is not asked.</param>
    public static Database Source(
        string connectionString,
        TimeSpan? patience = null,
        Func<CancellationToken, Task<SourcePause?>>? pause = null
    ) => new(Server.Source, "source", connectionString, patience, pause);

    /// <summary>The engine's server.</summary>
    /// <param name="patience">As for <see cref="Source"/>.</param>
    public static Database Engine(string connectionString, TimeSpan? patience = null) =>
        new(Server.Engine, "engine", connectionString, patience);

    /// <summary>For work that takes many connections; their failures are not translated.</summary>
    public NpgsqlDataSource Connections => _connections;

    /// <exception cref="CdcException">As <see cref="ServerFailure"/> says: Unavailable, Configuration (login refused, no such database),
    /// Preflight (a privilege is missing), Migration (the schema cdc is not there).</exception>
    /// <exception cref="PausedException">It is let go of.</exception>
    public async Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken ct)
    {
        if (_pause is not null && await _pause(ct) is { } pause)
        {
            Release();
            throw new PausedException(pause);
        }
        if (_patience is not { } patience)
            return await AskAsync(use, ct);
        // A question whose caller has given up still has its connection, until the driver has given up, too: cancelling takes it
        // as long again. No second one is asked beside it.
        try
        {
            var began = Stopwatch.GetTimestamp();
            await _asked.WaitAsync(patience, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_asked.IsCompleted)
                throw new TimeoutException($"it has not answered within {patience.TotalSeconds:0.#} s");
            var asked = AskAsync(use, CancellationToken.None);
            _asked = asked;
            // Both waits together are one caller's.
            var left = patience - Stopwatch.GetElapsedTime(began);
            return await asked.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, ct);
        }
        catch (TimeoutException late)
        {
            throw (await LockedAsync(late) ?? ServerFailure.Of(_server, late, Name)!).ToException(late);
        }
    }

    private async Task<T> AskAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken ct)
    {
        try
        {
            return await _connections.UseAsync(use, ct);
        }
        catch (Exception failure) when (ServerFailure.Of(_server, failure, Name) is { } known)
        {
            throw (await LockedAsync(failure) ?? known).ToException(failure);
        }
    }

    private static bool MayBeLocked(Exception failure) =>
        failure
            is TimeoutException
                or NpgsqlException { InnerException: TimeoutException }
                or PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable };

    /// <summary>
    /// A statement that waits for a lock looks like a server that is gone: no answer comes. The shared tables are in one schema of the
    /// engine's, and a person's lock on one of them is what every question there waits for.
    /// </summary>
    /// <returns>Null: the failure is another, nobody holds a lock, or it cannot be asked either.</returns>
    public async Task<ServerFailure?> LockedAsync(Exception failure)
    {
        if (_server != Server.Engine || !MayBeLocked(failure))
            return null;
        using var enough = new CancellationTokenSource(LongestLookForLocks);
        try
        {
            var holders = await _connections
                .UseAsync(c => LockHolders.InSchemaAsync(c, "cdc", enough.Token), enough.Token)
                .WaitAsync(LongestLookForLocks);
            return holders is null ? null : ServerFailure.Locked(_server, Name, holders);
        }
        catch (Exception)
        {
            // What it was that failed first is known, and is what is said.
            return null;
        }
    }

    public Task UseAsync(Func<NpgsqlConnection, Task> use, CancellationToken ct) =>
        UseAsync(
            async connection =>
            {
                await use(connection);
                return true;
            },
            ct
        );

    /// <summary>Ends the sessions that nobody uses; one that is in use ends when it is given back.</summary>
    public void Release() => _connections.Clear();

    public ValueTask DisposeAsync() => _connections.DisposeAsync();
}
