using Cdc.Api.Engine;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Balances;

/// <summary>Reads cards from the engine. Whatever it reads, the cache learns: it must not go on answering with something older.</summary>
internal sealed class CardReader(EngineReads engine, EntityDeclaration card, DeclaredLookup lookup, CardCache cache)
{
    private const int MomentColumn = 18;

    private readonly CardSql _sql = new(card, lookup);

    public async Task<CardAnswer> ByCodeAsync(string code, CancellationToken ct) => (await ByCodesAsync([code], ct).ConfigureAwait(false))[0];

    /// <param name="codes">Normalised, without repetition.</param>
    /// <returns>In the order of the codes.</returns>
    public async Task<IReadOnlyList<CardAnswer>> ByCodesAsync(IReadOnlyList<string> codes, CancellationToken ct)
    {
        var mark = cache.Mark();
        var answers = codes.Count == 1
            ? await ReadAsync(_sql.ByCode, [Text(codes[0])], 1, ct).ConfigureAwait(false)
            : await ReadAsync(_sql.ByCodes, [new() { Value = codes.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text }], codes.Count, ct).ConfigureAwait(false);
        for (var i = 0; i < codes.Count; i++) cache.Learn(mark, codes[i], answers[i]);
        return answers;
    }

    public async Task<CardAnswer> ByOdooIdAsync(int id, CancellationToken ct)
    {
        var mark = cache.Mark();
        var answer = (await ReadAsync(_sql.ByOdooId, [new() { Value = (long)id }], 1, ct).ConfigureAwait(false))[0];
        if (answer.Cards.Count == 0 && answer.QuarantineReason is null)
            answer = (await ReadAsync(_sql.ByLateOdooId, [new() { Value = id }], 1, ct).ConfigureAwait(false))[0];
        // An id says nothing about other cards with the same code: it refutes what is kept, but answers for no code.
        cache.Learn(mark, null, answer);
        return answer;
    }

    public async Task<CardAnswer> ByPartnerAsync(long partner, long after, int limit, CancellationToken ct)
    {
        var mark = cache.Mark();
        NpgsqlParameter[] parameters = [new() { Value = partner }, new() { Value = after }, new() { Value = limit }];
        var answer = (await ReadAsync(_sql.ByPartner, parameters, 1, ct).ConfigureAwait(false))[0];
        cache.Learn(mark, null, answer);
        return answer;
    }

    /// <summary>Why a card with this code is in quarantine; null if none is.</summary>
    public Task<string?> QuarantinedAsync(string code, CancellationToken ct) => engine.UseAsync(async connection =>
    {
        await using var command = new NpgsqlCommand(_sql.QuarantinedCode, connection) { Parameters = { Text(code) } };
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
    }, ct);

    private Task<CardAnswer[]> ReadAsync(string sql, NpgsqlParameter[] parameters, int places, CancellationToken ct) => engine.UseAsync(async connection =>
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var answers = new CardAnswer[places];
        while (await row.ReadAsync(ct).ConfigureAwait(false))
        {
            var place = (int)row.GetInt64(0) - 1;
            var answer = answers[place] ??= new CardAnswer(EngineMoment.Read(row, MomentColumn), [], Get<string>(row, 15));
            if (!row.IsDBNull(1)) answers[place] = answer with { Cards = [.. answer.Cards, Read(row, answer.Moment)] };
        }
        return answers;
    }, ct);

    private static CardRow Read(NpgsqlDataReader row, EngineMoment moment)
    {
        var position = new ChangePosition(row.GetInt32(11), new Lsn((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(12)), row.GetInt64(13));
        var id = row.GetInt64(1);
        var isOdoos = id < 1L << 32;
        var reason = Get<string>(row, 15);
        return new CardRow(
            id, row.IsDBNull(2) ? null : row.GetInt32(2), row.GetInt64(3), Number(row, 4), Number(row, 5), row.GetString(6), row.GetString(7),
            Time(row, 8), Time(row, 9), row.GetInt64(10), isOdoos ? position : null, Time(row, 14),
            isOdoos ? StatusOf(row, position, reason, moment) : CardStatus.Current, reason, moment.Through);
    }

    private static string StatusOf(NpgsqlDataReader row, ChangePosition position, string? quarantined, EngineMoment moment) =>
        quarantined is not null ? CardStatus.Quarantined
        : row.GetBoolean(16) ? CardStatus.Incomplete
        : moment.TableState == "stopped" ? CardStatus.Stopped
        : !row.IsDBNull(17) && row.GetBoolean(17) ? CardStatus.Loading
        : position.Generation == 0 ? CardStatus.Discarded
        : CardStatus.Current;

    private static NpgsqlParameter Text(string value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Text };

    private static T? Get<T>(NpgsqlDataReader row, int column) where T : class => row.IsDBNull(column) ? null : row.GetFieldValue<T>(column);

    private static long? Number(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
