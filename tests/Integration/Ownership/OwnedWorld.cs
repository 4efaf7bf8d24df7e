using System.Globalization;
using Cdc.Core.Failures;
using Cdc.Engine.Ownership;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary>
/// A random application beside random users of Odoo, calls that are lost, repeated and late, readings, restarts and changes of owner. It
/// knows all that was written, and after each step that no reader sees a change twice or not at all.
/// </summary>
internal sealed class OwnedWorld(EitherLogBed log, Random random)
{
    private const int Cards = 3;
    private const int Points = 100;

    // Values of the two sides are never the same.
    private const int OdoosFirst = 1_000;
    private const int OwnFirst = 500_000;

    private const string Unexplained = """
        SELECT c.id, c.points, c.base, p.own FROM loyalty_cards c CROSS JOIN LATERAL (
            SELECT coalesce(sum((l.after->>'points')::numeric - (l.before->>'points')::numeric), 0) AS own
            FROM cdc.sync_log l WHERE l.card = c.id AND l.status = 'pending' AND l.after ? 'points') p
        WHERE c.points <> coalesce((c.base->>'points')::numeric, c.points - p.own) + p.own OR (c.base->>'points' IS NULL AND p.own <> 0)
        """;

    private readonly bool[] _isEngines = new bool[Cards + 1];
    private readonly int[] _points = [.. Enumerable.Repeat(Points, Cards + 1)];
    private readonly string?[] _partner = new string?[Cards + 1];
    private readonly HashSet<string> _lost = [];
    private readonly List<Call> _calls = [];
    private int _value;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private PipelineBed Bed => log.Bed;

    public List<string> Said { get; } = [];

    public async Task BeginAsync()
    {
        await OwnedEntities.UseAsync(Bed, Ct);
        await Bed.Source.ExecuteAsync(
            $"""
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, partner_id, code, points) SELECT i, 1, i, 'c' || i, {Points} FROM generate_series(1, {Cards}) i
            """,
            Ct
        );
        log.Start();
        await Bed.CaughtUpAsync(Ct);
    }

    public async Task StepAsync()
    {
        await (
            random.Next(40) switch
            {
                < 13 => OwnAsync(),
                < 22 => OdooAsync(),
                < 31 => CallAsync(),
                < 35 => AgainAsync(),
                < 38 => HandOverAsync(),
                38 => ReadAsync(),
                _ => RestartAsync(),
            }
        );
        Assert.Empty(await Bed.Engine.RowsAsync(Unexplained, Ct));
    }

    /// <summary>Nobody writes any more; what is pending is sent until nothing is.</summary>
    public async Task RestAsync()
    {
        for (var round = 0; ; round++)
        {
            await Bed.CaughtUpAsync(Ct);
            if (await Bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.sync_log WHERE status = 'pending'", Ct) == 0)
                break;
            Assert.True(round < 10, "what is sent is never seen to arrive");
            for (var card = 1; card <= Cards; card++)
                await SendAsync(await CallOfAsync(card, int.MaxValue));
        }
        var cards = Enumerable.Range(1, Cards).Select(card => $"{card}|{_points[card]}").ToList();
        Assert.Equal(cards, await Bed.Source.RowsAsync("SELECT id, points::bigint FROM loyalty_card ORDER BY id", Ct));
        Assert.Equal(cards, await Bed.Engine.RowsAsync("SELECT id, points::bigint FROM loyalty_cards ORDER BY id", Ct));
        Assert.Equal(
            await Bed.Source.RowsAsync("SELECT id, partner_id FROM loyalty_card ORDER BY id", Ct),
            await Bed.Engine.RowsAsync("SELECT id, partner_id FROM loyalty_cards ORDER BY id", Ct)
        );
        for (var card = 1; card <= Cards; card++)
            if (_isEngines[card] && _partner[card] is { } own)
                Assert.Equal([own], await Bed.Engine.RowsAsync($"SELECT partner_id FROM loyalty_cards WHERE id = {card}", Ct));
        Assert.Equal(
            _lost.Order(StringComparer.Ordinal),
            (await Bed.Engine.RowsAsync("SELECT DISTINCT card || ' ' || odoo_value FROM cdc.conflicts", Ct)).Order(StringComparer.Ordinal)
        );
        Assert.Empty(await Bed.Engine.RowsAsync("SELECT kind, field FROM cdc.conflicts WHERE kind <> 'changed'", Ct));
        Assert.Empty(await Bed.Engine.RowsAsync("SELECT id, base FROM loyalty_cards WHERE base IS NOT NULL", Ct));
    }

    /// <summary>The application.</summary>
    private async Task OwnAsync()
    {
        var card = Card();
        var delta = random.Next(1, 6) * (random.Next(2) * 2 - 1);
        var partner = OwnFirst + ++_value;
        var (set, isPartner) = random.Next(4) == 0 ? ($"partner_id = {partner}", true) : ($"points = points + ({delta})", false);
        Say($"own {card} {set}");
        try
        {
            await Bed.Engine.ExecuteAsync($"UPDATE loyalty_cards SET {set} WHERE id = {card}", Ct);
            Assert.True(_isEngines[card], "an own change of what Odoo owns");
            if (isPartner)
                _partner[card] = $"{partner}";
            else
                _points[card] += delta;
        }
        catch (PostgresException e) when (e.SqlState == "OC001")
        {
            Assert.False(_isEngines[card], "a refused change of what the engine owns");
        }
    }

    /// <summary>Odoo's users: several changes in a transaction, of one card or of several.</summary>
    private async Task OdooAsync()
    {
        var sql = "BEGIN; ";
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            var card = Card();
            if (random.Next(2) == 0)
            {
                var delta = random.Next(1, 6) * (random.Next(2) * 2 - 1);
                _points[card] += delta;
                sql += $"UPDATE loyalty_card SET points = points + ({delta}) WHERE id = {card}; ";
                continue;
            }
            var partner = OdoosFirst + ++_value;
            if (_isEngines[card])
                _lost.Add($"{card} {partner}");
            sql += $"UPDATE loyalty_card SET partner_id = {partner} WHERE id = {card}; ";
        }
        Say($"odoo {sql}");
        await Bed.Source.ExecuteAsync(sql + "COMMIT", Ct);
    }

    /// <summary>The next own changes of a card, from where Odoo is as the engine knows it; one call in five is lost.</summary>
    private async Task CallAsync()
    {
        var call = await CallOfAsync(Card(), random.Next(1, 4));
        _calls.Add(call);
        if (random.Next(5) > 0)
            await SendAsync(call);
    }

    /// <summary>A call that was sent already, or was thought to be lost, arrives (again).</summary>
    private async Task AgainAsync()
    {
        if (_calls.Count > 0)
            await SendAsync(_calls[random.Next(_calls.Count)]);
    }

    private async Task<Call> CallOfAsync(int card, int most)
    {
        var changes = new List<Change>();
        await using var command = Bed.Engine.DataSource.CreateCommand(
            """
            SELECT number, coalesce(predecessor, 0), (after->>'points')::numeric - (before->>'points')::numeric, (after->>'partner_id')::bigint
            FROM cdc.sync_log WHERE status = 'pending' AND card = $1 ORDER BY number LIMIT $2
            """
        );
        command.Parameters.Add(new NpgsqlParameter { Value = (long)card });
        command.Parameters.Add(new NpgsqlParameter { Value = most });
        await using var reader = await command.ExecuteReaderAsync(Ct);
        while (await reader.ReadAsync(Ct))
            changes.Add(
                new Change(
                    reader.GetInt64(0),
                    reader.GetInt64(1),
                    reader.IsDBNull(2) ? 0 : reader.GetDecimal(2),
                    reader.IsDBNull(3) ? null : reader.GetInt64(3)
                )
            );
        return new Call(card, changes);
    }

    /// <summary>As the server action does it: one transaction under the row's lock, each change if its predecessor is what the row has.</summary>
    private async Task SendAsync(Call call)
    {
        await using var connection = await Bed.Source.DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using var read = new NpgsqlCommand(
            $"SELECT coalesce(x_cdc_seq, 0)::bigint FROM loyalty_card WHERE id = {call.Card} FOR NO KEY UPDATE",
            connection
        );
        var began = (long)(await read.ExecuteScalarAsync(Ct))!;
        var (seq, delta, partner) = (began, 0m, "partner_id");
        foreach (var change in call.Changes.Where(c => c.Number > began))
        {
            if (change.Predecessor != seq)
                break;
            (seq, delta) = (change.Number, delta + change.Delta);
            partner = change.Partner?.ToString(CultureInfo.InvariantCulture) ?? partner;
        }
        Say($"call {call.Card} from {began} to {seq}");
        if (seq == began)
            return;
        await using var write = new NpgsqlCommand(
            string.Create(
                CultureInfo.InvariantCulture,
                $"UPDATE loyalty_card SET points = points + ({delta}), partner_id = {partner}, x_cdc_seq = {seq} WHERE id = {call.Card}"
            ),
            connection
        );
        await write.ExecuteNonQueryAsync(Ct);
        await transaction.CommitAsync(Ct);
    }

    /// <summary>Behind a point that is applied, so that the world knows which changes lie behind it.</summary>
    private async Task HandOverAsync()
    {
        var card = Card();
        await Bed.CaughtUpAsync(Ct);
        var owner = _isEngines[card] ? "odoo" : "engine";
        await using var connection = await Bed.Engine.DataSource.OpenConnectionAsync(Ct);
        try
        {
            await new CardOwners(Bed.Entities.Cards!).SetAsync(connection, new OwnerScope(card, null), owner, "world", Ct);
            (_isEngines[card], _partner[card]) = (!_isEngines[card], null);
            Say($"owner {card} {owner}");
        }
        catch (CdcException e) when (e.Kind == FailureKind.Refused)
        {
            Say($"owner {card} stays");
            Assert.True(_isEngines[card]);
        }
    }

    private Task ReadAsync()
    {
        Say("read");
        return Bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity, allow_deletes) VALUES ('snapshot', 'card', 100)", Ct);
    }

    private async Task RestartAsync()
    {
        Say("restart");
        await log.StopAsync();
        log.Start();
    }

    private int Card() => random.Next(1, Cards + 1);

    private void Say(string what) => Said.Add(what);

    private sealed record Change(long Number, long Predecessor, decimal Delta, long? Partner);

    private sealed record Call(int Card, IReadOnlyList<Change> Changes);
}
