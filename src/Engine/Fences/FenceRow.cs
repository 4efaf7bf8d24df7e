using System.Diagnostics;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Fences;

/// <summary>A requester's row in cdc.fences, on a connection that listens for the pipeline's answers.</summary>
public sealed class FenceRow : IAsyncDisposable
{
    /// <summary>For a notification that was lost.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    private readonly NpgsqlConnection _connection;
    private readonly TimeSpan _timeout;
    private readonly long _began = Stopwatch.GetTimestamp();
    private bool _heard;

    private FenceRow(NpgsqlConnection connection, TimeSpan timeout)
    {
        (_connection, _timeout) = (connection, timeout);
        _connection.Notification += OnNotification;
    }

    public long Id { get; private set; }

    public static async Task<FenceRow> AnnounceAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        KeyRange range,
        TimeSpan timeout,
        CancellationToken ct
    )
    {
        var row = new FenceRow(connection, timeout);
        await connection.Statement($"LISTEN {FenceChannels.Answers}").ExecuteAsync(ct);
        row.Id = await connection.Statement(FenceGateSql.Announce, entity.Name, range.From, range.To, timeout).ScalarAsync<long>(ct);
        return row;
    }

    /// <summary>Waits until the pipeline has moved it to a state, it breaks, or this much time of the attempt has passed.</summary>
    /// <returns>Null: it is there. Otherwise how it is.</returns>
    public async Task<FenceStatus?> UntilAsync(FenceState state, TimeSpan atMost, CancellationToken ct)
    {
        while (true)
        {
            _heard = false;
            var now = await StateAsync(ct);
            if (now.State == state)
                return null;
            var left = atMost - Stopwatch.GetElapsedTime(_began);
            if (now.State == FenceState.Broken || left <= TimeSpan.Zero)
                return now;
            if (!_heard)
                await _connection.WaitAsync(AtLeastAMillisecond(left < PollInterval ? left : PollInterval), ct);
        }
    }

    public Task<FenceStatus?> UntilAsync(FenceState state, CancellationToken ct) => UntilAsync(state, _timeout, ct);

    /// <summary>Where it is, and why it broke or what it waits for.</summary>
    public async Task<FenceStatus> StateAsync(CancellationToken ct) =>
        (
            await _connection
                .Statement(FenceGateSql.State, Id)
                .RowsAsync(row => new FenceStatus(States.Of<FenceState>(row.GetString(0)), row.Get<string>(1), row.Get<string>(2)), ct)
        ).SingleOrDefault() ?? new FenceStatus(FenceState.Broken, FenceReasons.GivenUp, "Its row in cdc.fences was deleted.");

    /// <summary>The source's snapshot is taken. False: the pipeline has broken the fence.</summary>
    public Task<bool> ReadAsync(string snapshot, CancellationToken ct) => MoveAsync(FenceGateSql.Read, ct, Id, snapshot);

    /// <summary>The engine's snapshot is taken, and was while Apply was holding. False: it went on at an unknown moment.</summary>
    public Task<bool> OpenAsync(CancellationToken ct) => MoveAsync(FenceGateSql.Open, ct, Id);

    /// <param name="reason">One of <see cref="FenceReasons"/>.</param>
    public Task BreakAsync(string reason, string detail, CancellationToken ct) => MoveAsync(FenceGateSql.Break, ct, Id, reason, detail);

    /// <summary>Of a fence that was reached.</summary>
    public async Task<FenceResult> ResultAsync(CancellationToken ct) =>
        (
            await _connection
                .Statement(FenceGateSql.Result, Id)
                .RowsAsync(row => new FenceResult(row.GetBoolean(0), row.GetFieldValue<long[]>(1), row.GetInt32(2), row.Lsn(3)), ct)
        ).Single();

    /// <summary>The comparison is over.</summary>
    public static Task EndAsync(NpgsqlConnection connection, long fence, CancellationToken ct) =>
        connection.Statement(FenceGateSql.End, fence).ExecuteAsync(ct);

    /// <summary>The connection is the caller's.</summary>
    public ValueTask DisposeAsync()
    {
        _connection.Notification -= OnNotification;
        return ValueTask.CompletedTask;
    }

    /// <summary>Npgsql counts in whole milliseconds, and takes 0 for no limit at all.</summary>
    private static TimeSpan AtLeastAMillisecond(TimeSpan time) => time < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : time;

    private void OnNotification(object sender, NpgsqlNotificationEventArgs e) => _heard = true;

    private async Task<bool> MoveAsync(string sql, CancellationToken ct, params object?[] values) =>
        (await _connection.Statement(sql, values).RowsAsync(_ => true, ct)).Count > 0;
}

/// <param name="Reason">Why it broke, or what it waits for.</param>
public sealed record FenceStatus(FenceState State, string? Reason, string? Detail);

/// <param name="AllInFlight">The table was truncated in flight: every key may differ.</param>
/// <param name="InFlight">Keys that were streamed before the marker and that the source's snapshot may not see.</param>
/// <param name="Generation">The generation in which the engine follows the source.</param>
/// <param name="Marker">Where in the source's WAL the two sides are compared.</param>
public sealed record FenceResult(bool AllInFlight, long[] InFlight, int Generation, Lsn Marker);
