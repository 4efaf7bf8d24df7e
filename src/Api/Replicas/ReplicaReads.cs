using System.Net.Sockets;
using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Replicas;

/// <summary>
/// Read replicas of the engine: physical standbys that stream from it. One that is gone, busy, slow or behind is no error: the engine
/// itself is asked then, and after a failure the replica is not asked for a while.
/// </summary>
internal sealed class ReplicaReads : IAsyncDisposable
{
    private static readonly TimeSpan LeftAlone = TimeSpan.FromSeconds(1);

    /// <summary>Null: it was promoted, and is no longer a replica.</summary>
    private const string Replayed = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END";

    /// <summary>Nothing is replayed that was not received before. Null: it does not stream.</summary>
    private const string Received = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() END";

    private readonly NpgsqlDataSource? _connections;
    private readonly SemaphoreSlim _free;
    private readonly TimeSpan _timeout;
    private readonly AnswerFloors _floors;
    private readonly FreshnessClock _clock;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private long _systemIdentifier;
    private long _failedAt;
    private volatile bool _failing;
    private long _answered;
    private long _behind;
    private long _failed;

    public ReplicaReads(ApiOptions options, AnswerFloors floors, FreshnessClock clock, TimeProvider time, ILogger log)
    {
        (_floors, _clock, _time, _log) = (floors, clock, time, log);
        // The time spent on a replica that hangs is added to the engine's own time.
        (_free, _timeout) = (new SemaphoreSlim(options.Connections), options.Timeout / 4);
        if (options.ReplicaConnectionString.Length == 0)
            return;
        var settings = EngineReads.Settings(options.ReplicaConnectionString, options);
        settings.ApplicationName = EngineRole.ApiReplica.ApplicationName();
        // Not the primary, which is what is meant elsewhere by several hosts.
        settings.TargetSessionAttributes = new NpgsqlConnectionStringBuilder(options.ReplicaConnectionString).TargetSessionAttributes;
        // Several hosts: each gets its share.
        settings.LoadBalanceHosts = settings.Host?.Contains(',', StringComparison.Ordinal) == true;
        settings.NoResetOnClose = true;
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UsePhysicalConnectionInitializer(
            _ => throw new NotSupportedException("Connections to a replica are opened asynchronously."),
            CheckAsync
        );
        _connections = builder.BuildFor();
    }

    public bool AreThere => _connections is not null;

    /// <summary>Answers given; refused because the replica had not replayed enough; failures.</summary>
    public (long Answered, long Behind, long Failed) Counts =>
        (Interlocked.Read(ref _answered), Interlocked.Read(ref _behind), Interlocked.Read(ref _failed));

    /// <summary>Null: the engine itself is to be asked.</summary>
    /// <param name="beat">How far it must be at least.</param>
    /// <param name="demand">What the answer must meet.</param>
    public async Task<ReplicaAnswer<T>?> TryAskAsync<T>(EngineQuery<T> query, EngineBeat beat, FreshnessDemand demand, CancellationToken ct)
        where T : IRoutedAnswer
    {
        if (
            _connections is null
            || (_failing && _time.GetElapsedTime(Interlocked.Read(ref _failedAt)) < LeftAlone)
            || !_free.Wait(0, CancellationToken.None)
        )
            return null;
        using var late = CancellationTokenSource.CreateLinkedTokenSource(ct);
        late.CancelAfter(_timeout);
        try
        {
            Interlocked.Exchange(ref _systemIdentifier, beat.SystemIdentifier);
            await using var connection = await _connections.OpenConnectionAsync(late.Token);
            var answer = await AskAsync(connection, query, late.Token);
            _failing = false;
            if (answer is null || answer.Replayed < beat.Written || !MayBeGiven(answer, demand))
            {
                Interlocked.Increment(ref _behind);
                return null;
            }
            Interlocked.Increment(ref _answered);
            return answer;
        }
        catch (Exception e)
            when (!ct.IsCancellationRequested
                && e is NpgsqlException or SocketException or IOException or TimeoutException or OperationCanceledException
            )
        {
            Fail(e);
            return null;
        }
        finally
        {
            _free.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connections is not null)
            await _connections.DisposeAsync();
        _free.Dispose();
    }

    private bool MayBeGiven<T>(ReplicaAnswer<T> answer, FreshnessDemand demand)
        where T : IRoutedAnswer =>
        answer.Value.IsComplete
        && (answer.Value.Moment is not { } moment || demand.IsMetBy(moment, _clock))
        && _floors.Allow(answer.Value.Subjects, answer.Replayed);

    /// <summary>
    /// One trip. Each statement has its own snapshot: what is replayed is asked before the answer's, what is received after it, so the
    /// answer shows at least the one and at most the other.
    /// </summary>
    private static async Task<ReplicaAnswer<T>?> AskAsync<T>(NpgsqlConnection connection, EngineQuery<T> query, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            EnableErrorBarriers = true,
            BatchCommands = { new(Replayed), query.Command(), new(Received) },
        };
        await using var row = await batch.ExecuteReaderAsync(ct);
        var replayed = await LsnAsync(row, ct);
        await row.NextResultAsync(ct);
        var answer = await query.Read(row, ct);
        await row.NextResultAsync(ct);
        var received = await LsnAsync(row, ct);
        return replayed is { } least && received is { } most && most >= least ? new ReplicaAnswer<T>(answer, least, most) : null;
    }

    private static async Task<Lsn?> LsnAsync(NpgsqlDataReader row, CancellationToken ct) =>
        await row.ReadAsync(ct) && !row.IsDBNull(0) ? new Lsn((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(0)) : null;

    /// <summary>Another server's WAL positions mean nothing here, and its rows are not the engine's.</summary>
    private async Task CheckAsync(NpgsqlConnection connection)
    {
        await connection.PinAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand("SELECT system_identifier FROM pg_control_system()", connection);
        if (await command.ExecuteScalarAsync() is not long found || found != Interlocked.Read(ref _systemIdentifier))
            throw new NpgsqlException("It is no replica of the engine: its system identifier differs.");
    }

    private void Fail(Exception e)
    {
        Interlocked.Increment(ref _failed);
        Interlocked.Exchange(ref _failedAt, _time.GetTimestamp());
        if (!_failing)
            ApiLog.ReplicaLost(_log, e is NpgsqlException and not PostgresException ? e.Message : e.GetType().Name);
        _failing = true;
    }
}

/// <param name="Replayed">The answer shows at least this much of the engine's WAL.</param>
/// <param name="Received">And at most this.</param>
internal sealed record ReplicaAnswer<T>(T Value, Lsn Replayed, Lsn Received);
