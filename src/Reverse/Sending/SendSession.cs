using System.Text.Json.Nodes;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Engine.Ownership;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Reverse.Sending;

/// <summary>
/// The engine's side of sending, on one connection: which changes are to be sent, and what became of them. Its session holds the locks of the
/// cards that are under way, so a process that is killed lets them go.
/// </summary>
internal sealed class SendSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly ClaimSql _sql;
    private readonly HashSet<long> _claimed = [];
    private long _last = long.MinValue;

    private readonly GivenUpChanges _givenUp;

    private SendSession(NpgsqlConnection connection, SentFields fields) =>
        (_connection, _sql, _givenUp) = (
            connection,
            new ClaimSql(fields.Cards, fields.Points, fields.Values),
            new GivenUpChanges(fields.Cards)
        );

    /// <exception cref="NpgsqlException">The engine cannot be reached.</exception>
    public static async Task<SendSession> OpenAsync(EngineOptions engine, SentFields fields, CancellationToken ct) =>
        new(await EngineConnection.OpenAsync(engine, EngineRole.Reverse, ct), fields);

    /// <summary>Changes of cards that nobody else sends: this process's until <see cref="RecordAsync"/> or <see cref="ReleaseAsync"/>.</summary>
    /// <returns>Empty: there is nothing to send now.</returns>
    public async Task<IReadOnlyList<CardChanges>> ClaimAsync(int cards, int changes, CancellationToken ct)
    {
        await CompleteGivenUpAsync(ct);
        var found = await CandidatesAsync(_last, cards, ct);
        // Round and round, so that a card with many changes keeps none of the others waiting.
        if (found.Count < cards && _last > long.MinValue)
            found = [.. found.Union(await CandidatesAsync(long.MinValue, cards - found.Count, ct))];
        if (found.Count == 0)
            return [];
        _last = found[^1];
        var locked = await _connection.Statement(ClaimSql.Lock, found.ToArray()).RowsAsync(r => r.GetInt64(0), ct);
        if (locked.Count == 0)
            return [];
        _claimed.UnionWith(locked);
        // Read behind the lock: what another process has just recorded is seen.
        var rows = await _connection.Statement(_sql.Changes, locked.ToArray(), changes).RowsAsync(Read, ct);
        var claimed = rows.GroupBy(r => (r.Card, r.Highest), r => r.Change)
            .Select(g => new CardChanges(g.Key.Card, g.Key.Highest, [.. g]))
            .ToList();
        await ReleaseAsync(locked.Except(claimed.Select(c => c.Card)), ct);
        return claimed;
    }

    /// <summary>Writes down what became of the cards, and lets them go.</summary>
    public async Task RecordAsync(IReadOnlyList<CardOutcome> outcomes, CancellationToken ct)
    {
        var answered = outcomes.Where(o => o.AnsweredTo is not null).ToList();
        var refused = outcomes.Where(o => o.Refused is not null).ToList();
        await SyncLogTable.RecordAsync(
            _connection,
            ([.. answered.Select(o => o.Card)], [.. answered.Select(o => o.AnsweredTo!.Value)]),
            ([.. refused.Select(o => o.Refused!.Value)], [.. refused.Select(o => o.Error!)]),
            ct
        );
        foreach (var outcome in outcomes)
            if (outcome.Overtaken is { } overtaken)
                await _givenUp.OvertakenAsync(_connection, outcome.Card, overtaken.Void, overtaken.Number, ct);
        await ReleaseAsync(outcomes.Select(o => o.Card), ct);
    }

    /// <summary>Of cards that nobody sends now.</summary>
    private async Task CompleteGivenUpAsync(CancellationToken ct)
    {
        var arrived = await GivenUpChanges.ArrivedAsync(_connection, ct);
        var mine = arrived.Except(_claimed).ToArray();
        if (mine.Length == 0)
            return;
        var locked = await _connection.Statement(ClaimSql.Lock, mine).RowsAsync(r => r.GetInt64(0), ct);
        _claimed.UnionWith(locked);
        foreach (var card in locked)
            await _givenUp.CompleteAsync(_connection, card, ct);
        await ReleaseAsync(locked, ct);
    }

    /// <summary>Lets cards go as they are: they are sent again.</summary>
    public async Task ReleaseAsync(IEnumerable<long> cards, CancellationToken ct)
    {
        var mine = cards.Where(_claimed.Contains).Distinct().ToArray();
        if (mine.Length == 0)
            return;
        await _connection.Statement(ClaimSql.Unlock, mine).ExecuteAsync(ct);
        _claimed.ExceptWith(mine);
    }

    public async Task BeatAsync(WorkerState state, CancellationToken ct) => await state.WriteAsync(_connection, ct);

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private Task<List<long>> CandidatesAsync(long above, int most, CancellationToken ct) =>
        _connection.Statement(ClaimSql.Candidates, above, most, _claimed.ToArray()).RowsAsync(r => r.GetInt64(0), ct);

    private static (long Card, long Highest, OwnChange Change) Read(NpgsqlDataReader row) =>
        (
            row.GetInt64(0),
            row.GetInt64(1),
            new OwnChange(
                row.GetGuid(2),
                row.GetInt64(3),
                row.GetInt64(4),
                row.IsDBNull(6) ? 0 : row.GetDouble(6),
                row.IsDBNull(7) ? null : (JsonObject)JsonNode.Parse(row.GetString(7))!,
                row.IsDBNull(5) ? null : row.GetString(5),
                row.GetBoolean(8)
            )
        );
}
