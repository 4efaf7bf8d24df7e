using System.Globalization;
using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Replicas;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Cdc.Engine;
using Cdc.Engine.Tables;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Api.Live;

/// <summary>
/// Receives what the engine announces by NOTIFY, and knows up to when it has received everything: at every beat it reads how far the engine
/// is, then sends itself a notice. PostgreSQL delivers notices in the order of commits, so when its own arrives, all of what it had read
/// has arrived before. A beat that does not come back in time means a connection that is dead; nothing kept is used until there is another.
/// </summary>
internal sealed class EngineListener(EngineReads engine, CardCache cache, ReplicaReads replicas, ListenedTables listened, ILogger log)
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BeatTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Beats without a question for a card, after which no notices are sent: an idle Api costs the engine nothing but a SELECT.
    /// </summary>
    private const int BeatsUntilIdle = 20;

    private readonly string _own = "cdc_api_" + Guid.NewGuid().ToString("N");
    private readonly string? _cards = listened.Cards is { } cards ? ChangeNotice.Channel(cards.Entity.Name) : null;
    private readonly string? _programs = listened.Programs;
    private readonly IReadOnlyList<INotifiedTable> _tables = listened.Tables;
    private string _heard = "";
    private long _beat;
    private int _idleBeats;

    /// <summary>Runs until it is cancelled; retries without limit.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var pause = TimeSpan.FromMilliseconds(100);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(() => pause = TimeSpan.FromMilliseconds(100), ct);
            }
            catch (Exception e)
                when (e
                        is NpgsqlException
                            or IOException
                            or TimeoutException
                            or EngineUnavailableException
                            or System.Net.Sockets.SocketException
                )
            {
                ApiLog.ListenerLost(log, e.GetType().Name, pause.TotalSeconds);
            }
            catch (OperationCanceledException)
            {
                // Stopping, or a beat that did not come back: then the next connection is tried.
            }
            finally
            {
                Forget();
            }
            await Task.Delay(pause, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    private void Forget()
    {
        cache.Verify(null);
        foreach (var table in _tables)
            table.OnDisconnect();
    }

    private async Task ListenAsync(Action onBeat, CancellationToken stop)
    {
        // Npgsql may leave callbacks of a connection that broke behind; they go with this source, before they could be cancelled.
        using var connected = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var ct = connected.Token;
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(engine.ConnectionString)
            {
                ApplicationName = EngineRole.ApiListener.ApplicationName(),
                Pooling = false,
            }.ConnectionString
        );
        await connection.OpenPinnedAsync(ct);
        connection.Notification += (_, notice) => Take(notice.Channel, notice.Payload);
        // Its own notices need not survive a crash.
        var channels = _tables.Select(t => t.Channel).Concat(new[] { _cards, _programs }.OfType<string>()).Append(_own);
        await ExecuteAsync(
            connection,
            "SET synchronous_commit = off; " + string.Concat(channels.Select(c => $"LISTEN {Sql.Identifier(c)}; ")),
            ct
        );
        // Until this is held, nothing may have been announced; from here on everything is.
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock_shared({AdvisoryLocks.Listeners})", ct);
        foreach (var table in _tables)
            await table.ReloadAsync(connection, ct);
        while (!ct.IsCancellationRequested)
        {
            await BeatAsync(connection, ct);
            onBeat();
            await HearUntilNextBeatAsync(connection, ct);
        }
    }

    private async Task BeatAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(ct);
        late.CancelAfter(BeatTimeout);
        // In this order: what arrived before the mark is below the WAL of the beat, and so is all of the moment.
        var mark = cache.Mark();
        var moment = listened.Cards is { } cards ? await cards.ReadAsync(connection, late.Token) : (EngineMoment?)null;
        var beat = replicas.AreThere ? await EngineBeat.ReadAsync(mark, connection, late.Token) : null;
        _idleBeats = cache.Used ? 0 : _idleBeats + 1;
        cache.Used = false;
        if (_idleBeats > BeatsUntilIdle)
        {
            cache.Verify(null);
            await ExecuteAsync(connection, "SELECT 1", late.Token);
            return;
        }
        var sign = (++_beat).ToString(CultureInfo.InvariantCulture);
        await ExecuteAsync(connection, $"NOTIFY {_own}, '{sign}'", late.Token);
        while (_heard != sign)
            await connection.WaitAsync(late.Token);
        cache.Verify(moment is { State: SourceState.Streaming, TableState: TableState.Streaming or TableState.Held } ? moment : null, beat);
    }

    private async Task HearUntilNextBeatAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var until = Environment.TickCount64 + (long)Beat.TotalMilliseconds;
        while (until - Environment.TickCount64 is var left and > 0)
        {
            // What arrived during the beat comes first.
            while (_tables.FirstOrDefault(t => t.IsStale) is { } stale)
                await stale.ReloadAsync(connection, ct);
            await connection.WaitAsync(TimeSpan.FromMilliseconds(left), ct);
        }
    }

    private void Take(string channel, string payload)
    {
        if (channel == _own)
            _heard = payload;
        else if (channel == _cards)
            cache.Changed(ChangeNotice.Parse(payload));
        else if (channel == _programs)
            // Which cards are of it is not known here; programs change seldom.
            cache.Changed(null);
        else
            foreach (var table in _tables.Where(t => t.Channel == channel))
                table.OnChange();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>What is announced.</summary>
/// <param name="Cards">Null: no cards are served.</param>
internal sealed record ListenedTables(IReadOnlyList<INotifiedTable> Tables, EngineMomentReader? Cards)
{
    /// <summary>On which changes of programs are announced; null: they have no say in what is kept of cards.</summary>
    public string? Programs { get; init; }
}
