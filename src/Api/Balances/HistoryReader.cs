using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Api.Replicas;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Balances;

/// <summary>
/// A card's movements, the newest first. Joined to the card, so that nothing is shown of a card that is not there (yet, or any more).
/// </summary>
internal sealed class HistoryReader(ReadRouter router, EntityDeclaration card, EntityDeclaration history)
{
    private readonly string _key = $"h.{Sql.Identifier(history.EngineKey)}";

    /// <summary>By which movements are ordered; without one they are by their keys.</summary>
    private readonly string _time = (history.ServedColumn("time") ?? history.ServedColumn("created")) is { } time
        ? $"h.{Sql.Identifier(time)}"
        : "NULL::timestamptz";

    private string Select(string where) =>
        $"""
            SELECT {_key}, {OdooId}, {Part("move", "bigint")}, {Part("amount", "text")}, {Part("balance", "text")}, {RepresentableTime.Of(
                _time
            )}, {Part("origin", "text")},
                   {Part("product", "bigint")}, {Part("statusProduct", "bigint")}, {RepresentableTime.Of(
                Part("created", "timestamptz")
            )}, h.source_generation, h.source_lsn, h.source_ordinal,
                   CASE WHEN isfinite({_time}) THEN (extract(epoch FROM {_time}) * 1000000)::bigint
                        WHEN {_time} > now() THEN {long.MaxValue} WHEN {_time} IS NOT NULL THEN {-long.MaxValue} END
            FROM {card.EngineName} c JOIN {history.EngineName} h ON {Part("card", "bigint")} = c.{Sql.Identifier(card.EngineKey)}
            WHERE c.{Sql.Identifier(card.EngineKey)} = $1::bigint AND {where}
            ORDER BY {_time} DESC, {_key} DESC LIMIT $2::integer
            """;

    private string OdooId =>
        history.Columns.FirstOrDefault(c => c.Value == history.Key.Name) is { } column
            ? $"h.{Sql.Identifier(column.Name)}"
            : $"(CASE WHEN {_key} < {EntityDeclaration.FirstEngineId} THEN {_key}::integer END)";

    private string Part(string part, string type) =>
        history.ServedColumn(part) is { } column ? $"h.{Sql.Identifier(column)}::{type}" : $"NULL::{type}";

    /// <param name="limit">One more is read, to know whether it is the last page.</param>
    public async Task<HistoryAnswer> ReadAsync(long cardId, PageRequest page, CancellationToken ct)
    {
        var query = new EngineQuery<HistoryAnswer>(
            Select(Where(page.After)),
            parameters => Bind(parameters, cardId, page),
            (row, c) => ReadAsync(row, cardId, page.Limit, c)
        );
        // A replica that may answer has replayed at least what was answered of the card, so a demand that the card has met is met here too.
        return (await router.ReadAsync(query, FreshnessDemand.None, ct)).Answer;
    }

    private static void Bind(NpgsqlParameterCollection parameters, long cardId, PageRequest page)
    {
        parameters.Add(new NpgsqlParameter { Value = cardId });
        parameters.Add(new NpgsqlParameter { Value = page.Limit + 1 });
        if (page.After is not { } after)
            return;
        parameters.Add(new NpgsqlParameter { Value = after.Key });
        if (after.Time is { } time)
            parameters.Add(new NpgsqlParameter { Value = time });
    }

    private static async Task<HistoryAnswer> ReadAsync(NpgsqlDataReader row, long cardId, int limit, CancellationToken ct)
    {
        var items = new List<HistoryItem>();
        Cursor last = default;
        while (items.Count < limit && await row.ReadAsync(ct))
        {
            items.Add(Read(row));
            last = new Cursor(cardId, row.IsDBNull(13) ? null : row.GetInt64(13), row.GetInt64(0));
        }
        var more = items.Count == limit && await row.ReadAsync(ct);
        return new HistoryAnswer(cardId, items, more ? last.ToString() : null);
    }

    /// <summary>Rows without a time come first, as the index has them. $3: key, $4: microseconds since 1970.</summary>
    private string Where(Cursor? after)
    {
        // Days apart from the rest: an interval is multiplied as a double, which is exact to the microsecond for three centuries only.
        const string Time =
            "CASE $4::bigint WHEN 9223372036854775807 THEN 'infinity'::timestamptz "
            + "WHEN -9223372036854775807 THEN '-infinity'::timestamptz "
            + "ELSE (timestamp '1970-01-01' + ($4::bigint / 86400000000) * interval '1 day' "
            + "+ ($4::bigint % 86400000000) * interval '1 microsecond') AT TIME ZONE 'UTC' END";
        return after switch
        {
            null => "true",
            { Time: null } => $"({_time} IS NULL AND {_key} < $3::bigint OR {_time} IS NOT NULL)",
            _ => $"({_time}, {_key}) < ({Time}, $3::bigint)",
        };
    }

    private static HistoryItem Read(NpgsqlDataReader row)
    {
        var position = new ChangePosition(
            row.GetInt32(10),
            new Lsn((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(11)),
            row.GetInt64(12)
        );
        return new HistoryItem(
            row.GetInt64(0),
            row.IsDBNull(1) ? null : row.GetInt32(1),
            Number(row, 2),
            Text(row, 3),
            Text(row, 4),
            Time(row, 5),
            Text(row, 6),
            Number(row, 7),
            Number(row, 8),
            Time(row, 9),
            row.GetInt64(0) < 1L << 32 ? position.ToString() : null
        );
    }

    private static long? Number(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}

/// <param name="Next">Cursor of the next page; null: there is none.</param>
internal sealed record HistoryAnswer(long CardId, IReadOnlyList<HistoryItem> Items, string? Next) : IRoutedAnswer
{
    public IEnumerable<AnswerSubject> Subjects => [AnswerSubject.Card(CardId)];

    public EngineMoment? Moment => null;

    public bool IsComplete => true;
}
