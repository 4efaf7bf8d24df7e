using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Api.Replicas;
using Cdc.Core.Changes;
using Cdc.Engine.Tables;
using Cdc.Expressions.Rows;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Balances;

/// <summary>
/// Reads cards from the engine or a replica. Every read updates the cache, so that the cache never answers with something older.
/// </summary>
internal sealed class CardReader(
    EngineReads engine,
    ReadRouter router,
    ServedCards served,
    DeclaredLookup lookup,
    CardCache cache,
    ApiOptions options
)
{
    private readonly CardSql _sql = new(served, lookup, options.TimeZone);
    private readonly CardSql _expanded = new(served, lookup, options.TimeZone, expanded: true);

    /// <summary>Whether anything of what says that a card can be spent is declared.</summary>
    private readonly bool _hasTerms = served.Card.ServedColumn("active") is not null || served.Card.ServedColumn("expires") is not null;

    /// <param name="codes">Normalised, without repetition.</param>
    /// <param name="demand">What the answer of a replica must meet. The engine's is returned however it is.</param>
    /// <returns>In the order of the codes.</returns>
    public async Task<IReadOnlyList<CardAnswer>> ByCodesAsync(IReadOnlyList<string> codes, FreshnessDemand demand, CancellationToken ct)
    {
        AnswerSubject[] subjects = [.. codes.Select(AnswerSubject.Code)];
        var query =
            codes.Count == 1
                ? Query(_sql.ByCode, subjects, 1, () => Text(codes[0]))
                : Query(
                    _sql.ByCodes,
                    subjects,
                    codes.Count,
                    () => new() { Value = codes.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text }
                );
        var (answers, mark) = await router.ReadAsync(query, demand, ct);
        for (var i = 0; i < codes.Count; i++)
            cache.Learn(mark, codes[i], answers.All[i]);
        return answers.All;
    }

    /// <summary>With program and partner, as of the same moment. Changes of those are not announced, so that it is never kept.</summary>
    public async Task<CardAnswer> ExpandedAsync(string code, FreshnessDemand demand, CancellationToken ct)
    {
        var query = Query(_expanded.ByCode, [AnswerSubject.Code(code)], 1, () => Text(code));
        var (answers, mark) = await router.ReadAsync(query, demand, ct);
        cache.Learn(mark, null, answers.All[0]);
        return answers.All[0];
    }

    public async Task<CardAnswer> ByOdooIdAsync(int id, FreshnessDemand demand, CancellationToken ct)
    {
        AnswerSubject[] subject = [AnswerSubject.Card(id)];
        var query = Query(_sql.ByOdooId, subject, 1, () => new() { Value = (long)id });
        var (answers, mark) = await router.ReadAsync(query, demand, ct);
        if (answers.All is [{ Cards.Count: 0, QuarantineReason: null }])
        {
            query = Query(_sql.ByLateOdooId, subject, 1, () => new() { Value = id });
            (answers, _) = await router.ReadAsync(query, demand, ct);
        }
        // An id says nothing about other cards with the same code: it refutes what is kept, but answers for no code.
        cache.Learn(mark, null, answers.All[0]);
        return answers.All[0];
    }

    public async Task<CardAnswer> ByPartnerAsync(long partner, long after, int limit, CancellationToken ct)
    {
        var query = Query(
            _sql.ByPartner,
            [AnswerSubject.Partner(partner)],
            null,
            () => new() { Value = partner },
            () => new() { Value = after },
            () => new() { Value = limit }
        );
        var (answers, mark) = await router.ReadAsync(query, FreshnessDemand.None, ct);
        cache.Learn(mark, null, answers.All[0]);
        return answers.All[0];
    }

    /// <summary>Why a card with this code is in quarantine; null if none is.</summary>
    public Task<string?> QuarantinedAsync(string code, CancellationToken ct) =>
        engine.UseAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(_sql.QuarantinedCode, connection) { Parameters = { Text(code) } };
                return await command.ExecuteScalarAsync(ct) as string;
            },
            ct
        );

    /// <param name="asked">What is asked about, beside the cards that are found.</param>
    /// <param name="places">How many are asked for, each of which is one card; null: a list.</param>
    private EngineQuery<CardAnswers> Query(
        string sql,
        IReadOnlyList<AnswerSubject> asked,
        int? places,
        params Func<NpgsqlParameter>[] parameters
    ) =>
        new(
            sql,
            collection =>
            {
                foreach (var parameter in parameters)
                    collection.Add(parameter());
            },
            async (row, ct) => new CardAnswers(asked, await ReadAsync(row, places ?? 1, ct), IsList: places is null)
        );

    private async Task<CardAnswer[]> ReadAsync(NpgsqlDataReader row, int places, CancellationToken ct)
    {
        var answers = new CardAnswer[places];
        while (await row.ReadAsync(ct))
        {
            var place = (int)row.GetInt64(0) - 1;
            var answer = answers[place] ??= new CardAnswer(EngineMoment.Read(row, CardSql.MomentColumn), [], Get<string>(row, 15));
            if (!row.IsDBNull(1))
                answers[place] = answer with { Cards = [.. answer.Cards, Read(row, answer.Moment)] };
        }
        return answers;
    }

    private CardRow Read(NpgsqlDataReader row, EngineMoment moment)
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
            Number(row, 3),
            Number(row, 4),
            Number(row, 5),
            row.GetString(6),
            Get<string>(row, 7),
            Time(row, 8),
            Time(row, 9),
            row.GetInt64(10),
            isOdoos ? position : null,
            Time(row, 14),
            isOdoos ? StatusOf(row, position, reason, moment) : CardStatus.Current,
            reason,
            moment.Through
        )
        {
            Lookup = Get<string>(row, 18) ?? "",
            Warning = Get<string>(row, 21),
            Terms = _hasTerms ? Terms(row) : null,
            PointsOn = Day(row, 28),
            Program =
                row.FieldCount > CardSql.ExpandedColumn && Number(row, CardSql.ExpandedColumn) is { } program
                    ? new CardProgram(program, Get<string>(row, CardSql.ExpandedColumn + 1), Get<string>(row, CardSql.ExpandedColumn + 2))
                    : null,
            Partner =
                row.FieldCount > CardSql.ExpandedColumn && Number(row, CardSql.ExpandedColumn + 3) is { } partner
                    ? new CardPartner(
                        partner,
                        Get<string>(row, CardSql.ExpandedColumn + 4),
                        row.IsDBNull(CardSql.ExpandedColumn + 5) ? null : row.GetBoolean(CardSql.ExpandedColumn + 5)
                    )
                    : null,
        };
    }

    private static CardTerms Terms(NpgsqlDataReader row) =>
        new(
            IsArchived(row, 19),
            Day(row, 20),
            row.IsDBNull(22)
                ? null
                : new ProgramTerms(row.GetBoolean(22), IsArchived(row, 23), Day(row, 24), Day(row, 25), Time(row, 26), Time(row, 27))
        );

    private static DateOnly? Day(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateOnly>(column);

    private static bool? IsArchived(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : !row.GetBoolean(column);

    private static string StatusOf(NpgsqlDataReader row, ChangePosition position, string? quarantined, EngineMoment moment) =>
        quarantined is not null ? CardStatus.Quarantined
        : row.GetBoolean(16) ? CardStatus.Incomplete
        : moment.TableState == TableState.Stopped ? CardStatus.Stopped
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
