using Cdc.Api.Engine;
using Cdc.Api.Replicas;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Expressions.Rows;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Balances;

/// <summary>Reads cards from the engine or a replica. Whatever it reads, the cache learns: it must not go on answering with something older.</summary>
internal sealed class CardReader(EngineReads engine, ReadRouter router, EntityDeclaration card, DeclaredLookup lookup, CardCache cache)
{
    private const int MomentColumn = 18;

    private readonly CardSql _sql = new(card, lookup);

    /// <param name="codes">Normalised, without repetition.</param>
    /// <param name="replicaIsEnough">Whether a replica may answer that is so far; null: none may.</param>
    /// <returns>In the order of the codes.</returns>
    public async Task<IReadOnlyList<CardAnswer>> ByCodesAsync(
        IReadOnlyList<string> codes,
        Func<EngineMoment, bool>? replicaIsEnough,
        CancellationToken ct
    )
    {
        var query =
            codes.Count == 1
                ? Query(_sql.ByCode, 1, () => Text(codes[0]))
                : Query(
                    _sql.ByCodes,
                    codes.Count,
                    () => new() { Value = codes.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text }
                );
        var (answers, mark) = await router
            .ReadAsync(query, all => [.. codes.Select(AnswerSubject.Code), .. all.SelectMany(Cards)], Enough(replicaIsEnough), ct)
            .ConfigureAwait(false);
        for (var i = 0; i < codes.Count; i++)
            cache.Learn(mark, codes[i], answers[i]);
        return answers;
    }

    public async Task<CardAnswer> ByOdooIdAsync(int id, Func<EngineMoment, bool>? replicaIsEnough, CancellationToken ct)
    {
        var (answer, mark) = await ReadAsync(Query(_sql.ByOdooId, 1, () => new() { Value = (long)id })).ConfigureAwait(false);
        if (answer.Cards.Count == 0 && answer.QuarantineReason is null)
            (answer, _) = await ReadAsync(Query(_sql.ByLateOdooId, 1, () => new() { Value = id })).ConfigureAwait(false);
        // An id says nothing about other cards with the same code: it refutes what is kept, but answers for no code.
        cache.Learn(mark, null, answer);
        return answer;

        async Task<(CardAnswer, long)> ReadAsync(EngineQuery<CardAnswer[]> query)
        {
            var (answers, marked) = await router
                .ReadAsync(query, all => [AnswerSubject.Card(id), .. Cards(all[0])], Enough(replicaIsEnough), ct)
                .ConfigureAwait(false);
            return (answers[0], marked);
        }
    }

    public async Task<CardAnswer> ByPartnerAsync(long partner, long after, int limit, CancellationToken ct)
    {
        var query = Query(_sql.ByPartner, 1, () => new() { Value = partner }, () => new() { Value = after }, () => new() { Value = limit });
        var (answers, mark) = await router
            .ReadAsync(query, all => [AnswerSubject.Partner(partner), .. Cards(all[0])], _ => true, ct)
            .ConfigureAwait(false);
        cache.Learn(mark, null, answers[0]);
        return answers[0];
    }

    /// <summary>Why a card with this code is in quarantine; null if none is.</summary>
    public Task<string?> QuarantinedAsync(string code, CancellationToken ct) =>
        engine.UseAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(_sql.QuarantinedCode, connection) { Parameters = { Text(code) } };
                return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
            },
            ct
        );

    /// <summary>What a replica does not have, or not whole, only the engine itself can say.</summary>
    private static Func<CardAnswer[], bool>? Enough(Func<EngineMoment, bool>? moment) =>
        moment is null ? null : answers => answers.All(a => a.Cards is [{ IsCurrent: true }] && moment(a.Moment));

    private static IEnumerable<AnswerSubject> Cards(CardAnswer answer) => answer.Cards.Select(c => AnswerSubject.Card(c.Id));

    private static EngineQuery<CardAnswer[]> Query(string sql, int places, params Func<NpgsqlParameter>[] parameters) =>
        new(
            sql,
            collection =>
            {
                foreach (var parameter in parameters)
                    collection.Add(parameter());
            },
            (row, ct) => ReadAsync(row, places, ct)
        );

    private static async Task<CardAnswer[]> ReadAsync(NpgsqlDataReader row, int places, CancellationToken ct)
    {
        var answers = new CardAnswer[places];
        while (await row.ReadAsync(ct).ConfigureAwait(false))
        {
            var place = (int)row.GetInt64(0) - 1;
            var answer = answers[place] ??= new CardAnswer(EngineMoment.Read(row, MomentColumn), [], Get<string>(row, 15));
            if (!row.IsDBNull(1))
                answers[place] = answer with { Cards = [.. answer.Cards, Read(row, answer.Moment)] };
        }
        return answers;
    }

    private static CardRow Read(NpgsqlDataReader row, EngineMoment moment)
    {
        var position = new ChangePosition(
            row.GetInt32(11),
            new Lsn((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(12)),
            row.GetInt64(13)
        );
        var id = row.GetInt64(1);
        var isOdoos = id < 1L << 32;
        var reason = Get<string>(row, 15);
        return new CardRow(
            id,
            row.IsDBNull(2) ? null : row.GetInt32(2),
            row.GetInt64(3),
            Number(row, 4),
            Number(row, 5),
            row.GetString(6),
            row.GetString(7),
            Time(row, 8),
            Time(row, 9),
            row.GetInt64(10),
            isOdoos ? position : null,
            Time(row, 14),
            isOdoos ? StatusOf(row, position, reason, moment) : CardStatus.Current,
            reason,
            moment.Through
        );
    }

    private static string StatusOf(NpgsqlDataReader row, ChangePosition position, string? quarantined, EngineMoment moment) =>
        quarantined is not null ? CardStatus.Quarantined
        : row.GetBoolean(16) ? CardStatus.Incomplete
        : moment.TableState == "stopped" ? CardStatus.Stopped
        : !row.IsDBNull(17) && row.GetBoolean(17) ? CardStatus.Loading
        : position.Generation == 0 ? CardStatus.Discarded
        : CardStatus.Current;

    private static NpgsqlParameter Text(string value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Text };

    private static T? Get<T>(NpgsqlDataReader row, int column)
        where T : class => row.IsDBNull(column) ? null : row.GetFieldValue<T>(column);

    private static long? Number(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
