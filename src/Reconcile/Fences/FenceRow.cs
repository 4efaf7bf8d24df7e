using System.Diagnostics;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Fences;
using Cdc.Core.Snapshots;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Reconcile.Fences;

/// <summary>Our row in cdc.fences, on a connection that hears the pipeline's answers.</summary>
internal sealed class FenceRow : IAsyncDisposable
{
    /// <summary>For a notification that was lost.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private const string AnnounceSql = $"""
        WITH moved AS (
            INSERT INTO cdc.fences (entity, from_key, to_key, expires_at) VALUES ($1, $2, $3, clock_timestamp() + $4) RETURNING id)
        SELECT id, pg_notify('{FenceChannels.Asks}', id::text) FROM moved
        """;

    private const string ReadSql = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'read', source_snapshot = $2::text::pg_snapshot, read_at = clock_timestamp() WHERE id = $1 AND state = 'armed' RETURNING id)
        {Ask}
        """;

    private const string OpenSql = $"""
        WITH moved AS (UPDATE cdc.fences SET state = 'open', opened_at = clock_timestamp() WHERE id = $1 AND state = 'reached' RETURNING id)
        {Ask}
        """;

    private const string BreakSql = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'broken', reason = $2, detail = $3, ended_at = clock_timestamp()
            WHERE id = $1 AND state IN ('announced', 'armed', 'read', 'reached', 'open') RETURNING id)
        {Ask}
        """;

    private const string EndSql = "UPDATE cdc.fences SET state = 'done', ended_at = clock_timestamp() WHERE id = $1 AND state = 'open'";

    private const string Ask = $"SELECT pg_notify('{FenceChannels.Asks}', id::text) FROM moved";

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
        await using (var listen = new NpgsqlCommand($"LISTEN {FenceChannels.Answers}", connection))
            await listen.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await using var announce = new NpgsqlCommand(AnnounceSql, connection)
        {
            Parameters =
            {
                new() { Value = entity.Name },
                Key(range.From),
                Key(range.To),
                new() { Value = timeout },
            },
        };
        row.Id = (long)(await announce.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
        return row;
    }

    /// <summary>Waits until the pipeline has moved it to a state, it breaks, or this much time of the attempt has passed.</summary>
    /// <returns>Null: it is there. Otherwise how it is.</returns>
    public async Task<FenceState?> UntilAsync(string state, TimeSpan atMost, CancellationToken ct)
    {
        while (true)
        {
            _heard = false;
            var now = await StateAsync(ct).ConfigureAwait(false);
            if (now.State == state)
                return null;
            var left = atMost - Stopwatch.GetElapsedTime(_began);
            if (now.State == "broken" || left <= TimeSpan.Zero)
                return now;
            if (!_heard)
                await _connection.WaitAsync(AtLeastAMillisecond(left < Look ? left : Look), ct).ConfigureAwait(false);
        }
    }

    /// <summary>Npgsql counts in whole milliseconds, and takes 0 for no limit at all.</summary>
    private static TimeSpan AtLeastAMillisecond(TimeSpan time) => time < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : time;

    public Task<FenceState?> UntilAsync(string state, CancellationToken ct) => UntilAsync(state, _timeout, ct);

    /// <summary>Why it is broken, or got no further.</summary>
    public async Task<BrokenFence> WhyAsync(CancellationToken ct) => (await StateAsync(ct).ConfigureAwait(false)).Broken;

    /// <summary>The source's snapshot is taken. False: the pipeline has broken the fence.</summary>
    public Task<bool> ReadAsync(string snapshot, CancellationToken ct) => MoveAsync(ReadSql, ct, Id, snapshot);

    /// <summary>The engine's snapshot is taken, and was while Apply was holding. False: it went on at an unknown moment.</summary>
    public Task<bool> OpenAsync(CancellationToken ct) => MoveAsync(OpenSql, ct, Id);

    public Task BreakAsync(BrokenFence broken, CancellationToken ct) => MoveAsync(BreakSql, ct, Id, broken.Reason, broken.Detail);

    public async Task<(InFlightKeys Keys, int Generation, Lsn Marker)> ResultAsync(CancellationToken ct)
    {
        await using var command = Command("SELECT in_flight_all, in_flight, generation, marker_lsn FROM cdc.fences WHERE id = $1", Id);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await reader.ReadAsync(ct).ConfigureAwait(false);
        var keys = new InFlightKeys(reader.GetBoolean(0), reader.GetFieldValue<long[]>(1).ToHashSet());
        return (keys, reader.GetInt32(2), new Lsn((ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(3)));
    }

    /// <summary>The comparison is over.</summary>
    public static async Task EndAsync(NpgsqlConnection connection, long fence, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(EndSql, connection) { Parameters = { new() { Value = fence } } };
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    /// <summary>The connection is somebody else's.</summary>
    public ValueTask DisposeAsync()
    {
        _connection.Notification -= OnNotification;
        return ValueTask.CompletedTask;
    }

    private void OnNotification(object sender, NpgsqlNotificationEventArgs e) => _heard = true;

    private async Task<FenceState> StateAsync(CancellationToken ct)
    {
        await using var command = Command("SELECT state, reason, detail FROM cdc.fences WHERE id = $1", Id);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await reader.ReadAsync(ct).ConfigureAwait(false)
            ? new FenceState(
                reader.GetString(0),
                reader.IsDBNull(1) ? null : reader.GetString(1),
                reader.IsDBNull(2) ? null : reader.GetString(2)
            )
            : new FenceState("broken", FenceReasons.GivenUp, "Its row in cdc.fences was deleted.");
    }

    private async Task<bool> MoveAsync(string sql, CancellationToken ct, params object[] values)
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await reader.ReadAsync(ct).ConfigureAwait(false);
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, _connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    private static NpgsqlParameter Key(long? key) => new() { Value = (object?)key ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };
}

/// <param name="Reason">Why it broke, or what it waits for.</param>
internal sealed record FenceState(string State, string? Reason, string? Detail)
{
    public BrokenFence Broken =>
        Reason is not null && Detail is not null
            ? new BrokenFence(Reason, Detail)
            : new BrokenFence(FenceReasons.Expired, $"Its time ran out while it was {State}: the pipeline is behind, or has stopped.");
}
