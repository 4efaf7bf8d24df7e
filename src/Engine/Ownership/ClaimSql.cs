using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Engine.Ownership;

/// <summary>
/// The SQL that finds what is to be sent, as text. Several processes share the work by a lock for each card, which their session holds while
/// a call with it is under way: it saves work and no more, since Odoo applies a change once however often it is sent.
/// </summary>
/// <param name="points">The field to which is added; null: none.</param>
/// <param name="values">Fields that are written as they are.</param>
public sealed class ClaimSql(EntityDeclaration cards, ReverseField? points, IReadOnlyList<ReverseField> values)
{
    /// <summary>
    /// Cards above $1, by their keys, of which changes are to be sent: at most $2, and none of $3. Looks at the index once for each card,
    /// however many changes wait. A card with a change that was refused waits for a person.
    /// </summary>
    public const string Candidates = """
        WITH RECURSIVE waiting(card) AS (
            (SELECT l.card FROM cdc.sync_log l WHERE l.status = 'pending' AND l.answered_at IS NULL AND l.card > $1 ORDER BY l.card LIMIT 1)
            UNION ALL
            SELECT (SELECT l.card FROM cdc.sync_log l WHERE l.status = 'pending' AND l.answered_at IS NULL AND l.card > w.card ORDER BY l.card LIMIT 1)
            FROM waiting w WHERE w.card IS NOT NULL
        )
        SELECT w.card FROM waiting w
        WHERE w.card IS NOT NULL AND NOT w.card = ANY ($3) AND (NOT EXISTS (SELECT FROM cdc.sync_log f WHERE f.card = w.card AND f.status = 'pending' AND f.error IS NOT NULL)
            OR EXISTS (SELECT FROM cdc.sync_log v WHERE v.card = w.card AND v.action = 'void' AND v.status = 'pending' AND v.error IS NULL))
        LIMIT $2
        """;

    /// <summary>Of the cards $1 those that no other process has; they are this session's until they are let go.</summary>
    public static readonly string Lock =
        $"SELECT k.card FROM unnest($1::bigint[]) k(card) WHERE pg_try_advisory_lock({AdvisoryLocks.SentCards}, hashint8(k.card))";

    public static readonly string Unlock =
        $"SELECT count(pg_advisory_unlock({AdvisoryLocks.SentCards}, hashint8(k.card))) FROM unnest($1::bigint[]) k(card)";

    private const long FirstEngineId = EntityDeclaration.FirstEngineId;

    /// <summary>The changes of the cards $1, at most $2 of each. A void goes alone, until it is known to have arrived.</summary>
    public string Changes =>
        $"""
            SELECT l.card, coalesce(t.own_number, l.number), l.uuid, l.number, coalesce(l.predecessor, 0), {Refusal}, {Delta}, {Values}, l.action = 'void'
            FROM unnest($1::bigint[]) k(card)
            CROSS JOIN LATERAL (
                SELECT * FROM cdc.sync_log l WHERE l.card = k.card AND l.status = 'pending' AND l.answered_at IS NULL
                  AND (l.action = 'void' OR NOT EXISTS (SELECT FROM cdc.sync_log v WHERE v.card = k.card AND v.action = 'void' AND v.status = 'pending'))
                ORDER BY l.number LIMIT $2) l
            LEFT JOIN {cards.EngineName} t ON t.{Sql.Identifier(cards.EngineKey)} = l.card
            WHERE l.action = 'void' AND l.error IS NULL
               OR NOT EXISTS (SELECT FROM cdc.sync_log f WHERE f.card = k.card AND f.status = 'pending' AND f.error IS NOT NULL)
            ORDER BY l.card, l.number
            """;

    private string Refusal =>
        $"""
            CASE WHEN l.entity <> {Sql.Literal(cards.Name)} THEN format('cdc sends changes of cards alone, not of %s', l.entity)
                 WHEN l.card >= {FirstEngineId} THEN 'the card was made in the engine: cdc does not create cards in Odoo'
                 WHEN l.action NOT IN ('update', 'void') THEN format('cdc sends no %s of a card', l.action)
                 WHEN {Delta} IN ('NaN', 'Infinity', '-Infinity') THEN 'its points are no number' END
            """;

    private string Delta
    {
        get
        {
            if (points is null)
                return "0::double precision";
            var column = cards.Reverse!.Additive[0];
            var name = Sql.Literal(column);
            var added = $"coalesce({Logged("after", column)}, 0) - coalesce({Logged("before", column)}, 0)";
            // The sum is taken of exact numbers, and only then becomes a double.
            return $"CASE WHEN l.after ? {name} THEN (SELECT {Of(points)} FROM (SELECT {added} AS {Sql.Identifier(column)}) x) ELSE 0 END";
        }
    }

    private string Values =>
        values.Count == 0
            ? "NULL::text"
            : $"""
            (SELECT jsonb_object_agg(f.name, coalesce(f.now, 'false'))::text
             FROM (SELECT {Columns("after")}) n, (SELECT {Columns("before")}) o
             CROSS JOIN LATERAL (VALUES {string.Join(
                ", ",
                values.Select(f =>
                    $"({Sql.Literal(f.Name)}, to_jsonb({From("n", f)}), to_jsonb({From("o", f)}))"
                )
            )}) f(name, now, before) WHERE f.now IS DISTINCT FROM f.before)
            """;

    /// <summary>The card's columns as they were then: what did not change is what it is.</summary>
    private string Columns(string state) =>
        string.Join(
            ", ",
            cards
                .Columns.Where(c => cards.Reverse!.Owned.Contains(c.Name))
                .Select(c =>
                    $"CASE WHEN l.{state} ? {Sql.Literal(c.Name)} THEN {Logged(state, c.Name)} ELSE t.{Sql.Identifier(c.Name)} END AS {Sql.Identifier(c.Name)}"
                )
        );

    private string Logged(string state, string column) =>
        $"(l.{state} ->> {Sql.Literal(column)})::{cards.Columns.First(c => c.Name == column).Type}";

    private string From(string row, ReverseField field) =>
        $"(SELECT {Of(field)} FROM (SELECT {string.Join(", ", cards.Reverse!.Owned.Select(c => $"{row}.{Sql.Identifier(c)}"))}) x)";

    private static string Of(ReverseField field) => $"({field.Value})::{field.Type}";
}
