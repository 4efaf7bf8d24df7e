using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Ownership;

namespace Cdc.Engine.Rows;

/// <summary>
/// What a card's row of Odoo's says of the engine's own changes, as SQL: it has those up to its number. Numbers are those of one card, its
/// rows' changes included; the row is <c>t</c>, an entry of cdc.sync_log is <c>l</c>.
/// </summary>
internal static class SyncLogSql
{
    private const string Number = ReverseDeclaration.OdooNumberColumn;

    /// <summary>
    /// What own changes have added to a column of Odoo's between the number that the engine's row has and the one that Odoo's has now; less
    /// than nothing where Odoo was restored, and has fewer.
    /// </summary>
    /// <param name="number">Of Odoo's row.</param>
    /// <param name="odoosRow">Its alias.</param>
    public static string Arrived(EntityDeclaration cards, EngineColumn column, string number, string odoosRow)
    {
        var (key, old) = ($"t.{Sql.Identifier(cards.EngineKey)}", $"coalesce(t.{Number}, 0)");
        string Sum(string above, string upTo) =>
            $"(SELECT coalesce(sum({Logged(column, "after")} - {Logged(column, "before")}), 0) {Naming(cards, key, above, upTo)} "
            + $"AND l.after ? {Sql.Literal(column.Name)})";
        var now = $"coalesce({number}, 0)";
        return $"CASE WHEN {now} > {old} THEN {Sum(old, now)} "
            + $"WHEN {odoosRow}.source_generation > t.source_generation THEN -{Sum(now, old)} ELSE 0 END";
    }

    /// <summary>The value that Odoo was last sent of what it has now and had not before, as jsonb; NULL: none.</summary>
    /// <param name="field">A column's name, as SQL.</param>
    public static string Sent(EntityDeclaration cards, string key, string field, string above, string upTo) =>
        $"(SELECT l.after -> {field} {Naming(cards, key, above, upTo)} AND l.after ? {field} ORDER BY l.number DESC LIMIT 1)";

    /// <summary>
    /// Before rows of a newer generation are written: own changes that Odoo had, and of which its row knows nothing any more, because it
    /// was restored, are pending again.
    /// </summary>
    /// <param name="versions">Staged rows with the bits of what is unknown in them.</param>
    /// <param name="unknown">The number's.</param>
    public static string Lost(EntityDeclaration cards, string versions, long unknown) =>
        $"""
            UPDATE cdc.sync_log l SET status = 'pending', synced_at = NULL
            FROM {versions} s JOIN {cards.EngineName} t ON t.{Sql.Identifier(cards.EngineKey)} = s.key
            WHERE s.source_generation > t.source_generation AND s.unknown & {unknown} = 0
              AND NOT EXISTS (SELECT FROM {versions} n WHERE n.key = s.key
                  AND (n.source_generation, n.source_lsn, n.source_ordinal) > (s.source_generation, s.source_lsn, s.source_ordinal))
              AND l.card = s.key AND l.status = 'synced' AND l.number > coalesce(s.{Number}, 0)
            """;

    /// <summary>After rows are written: own changes that they have are in Odoo.</summary>
    /// <param name="versions">Of which rows.</param>
    public static string Echoes(EntityDeclaration cards, string versions) =>
        $"""
            UPDATE cdc.sync_log l SET status = 'synced', synced_at = clock_timestamp(), error = NULL
            FROM {versions} s JOIN {cards.EngineName} t ON t.{Sql.Identifier(cards.EngineKey)} = s.key
            WHERE l.card = s.key AND l.status = 'pending' AND l.number <= t.{Number} AND {IsIn($"t.{Number}")}
            """;

    /// <summary>
    /// After that: what somebody of Odoo's has written over goes out again, as an own change with a number of its own. Not what Odoo itself
    /// has made of what it was sent: it would do so again.
    /// </summary>
    public static string Again(EntityDeclaration cards, IReadOnlyList<EngineColumn> columns, string versions)
    {
        var (key, name) = (Sql.Identifier(cards.EngineKey), Sql.Literal(cards.Name));
        string Is(EngineColumn c)
        {
            var field = Sql.Literal(c.Name);
            return $"{BaseSql.Has(c, "t")} AND NOT EXISTS (SELECT FROM cdc.sync_log l WHERE l.card = t.{key} AND l.status = 'pending' "
                + $"AND l.entity = {name} AND l.after ? {field}) AND (SELECT f.kind = 'changed' FROM cdc.conflicts f WHERE f.entity = {name} "
                + $"AND f.key = t.{key} AND f.field = {field} ORDER BY f.generation DESC, f.lsn DESC, f.ordinal DESC LIMIT 1)";
        }
        string Object(Func<EngineColumn, string> value) =>
            string.Join(
                " || ",
                columns.Select((c, i) => $"CASE WHEN due.is{i} THEN jsonb_build_object({Sql.Literal(c.Name)}, {value(c)}) ELSE '{{}}' END")
            );
        var any = string.Join(" OR ", columns.Select((_, i) => $"due.is{i}"));
        return $"""
            WITH due AS MATERIALIZED (
                SELECT t.{key} AS id, {string.Join(", ", columns.Select((c, i) => $"{Is(c)} AS is{i}"))}
                FROM (SELECT DISTINCT key FROM {versions}) s JOIN {cards.EngineName} t ON t.{key} = s.key
                WHERE t.owner = 'engine' AND t.base IS NOT NULL AND t.base <> {BaseSql.Gone}
            ), again AS MATERIALIZED (
                SELECT t.{key} AS id, nullif(greatest(coalesce(t.own_number, 0), coalesce(t.{Number}, 0)), 0) AS last,
                       cdc.clock_micros() AS micros, {Object(c => $"t.base -> {Sql.Literal(c.Name)}")} AS before,
                       {Object(c => BaseSql.Json(c, $"t.{Sql.Identifier(c.Name)}"))} AS after
                FROM due JOIN {cards.EngineName} t ON t.{key} = due.id WHERE {any}
            ), numbered AS (
                UPDATE {cards.EngineName} t SET own_number = greatest(coalesce(a.last, 0) + 1, a.micros) FROM again a WHERE t.{key} = a.id
                RETURNING t.{key} AS id, t.own_number AS number, a.last, a.before, a.after
            ), logged AS (
                INSERT INTO cdc.sync_log (entity, id, card, number, predecessor, action, before, after)
                SELECT {name}, n.id, n.id, n.number, n.last, 'update', n.before, n.after FROM numbered n RETURNING 1
            )
            SELECT pg_notify('{OwnChangeSql.Channel}', '') FROM logged LIMIT 1
            """;
    }

    /// <summary>Own changes of a card, not of its rows, that Odoo has up to a number and had not before.</summary>
    private static string Naming(EntityDeclaration cards, string key, string above, string upTo) =>
        $"FROM cdc.sync_log l WHERE l.card = {key} AND l.entity = {Sql.Literal(cards.Name)} AND l.number > {above} AND l.number <= {upTo} "
        + $"AND {IsIn(upTo)}";

    /// <summary>
    /// Of own changes up to a number: not those that were given up. In the place of one that Odoo refused a void was sent, and what lies
    /// between it and the number that it follows never came.
    /// </summary>
    private static string IsIn(string number) =>
        "l.status <> 'failed' AND NOT EXISTS (SELECT FROM cdc.sync_log v WHERE v.card = l.card AND v.action = 'void' "
        + $"AND v.status <> 'failed' AND v.number <= {number} AND v.number > l.number AND coalesce(v.predecessor, 0) < l.number)";

    private static string Logged(EngineColumn column, string state) =>
        $"coalesce((l.{state} ->> {Sql.Literal(column.Name)})::{column.Type}, 0)";
}
