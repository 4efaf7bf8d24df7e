using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;

namespace Cdc.Engine.Migrations;

/// <summary>
/// What is written in the engine to keep an aggregate: its table, and the function of the triggers, which adds differences and reads none of the
/// entity's rows again.
/// </summary>
/// <remarks>
/// An upsert fires two triggers, that of its updated rows and then that of its inserted ones, and both see the entity's table as it is after
/// both. So what a difference needs to know of rows that did not change is never asked of that table but of what was counted: how much is
/// drawn from each row (by the draws' own last day), and with which end of that row it was counted. Each trigger is then a step of its own,
/// from one right state of what its rows were to the next.
/// </remarks>
internal sealed class AggregateSql
{
    private const string Day = AggregateDeclaration.DayColumn;
    private const string Points = AggregateDeclaration.SumColumn;

    /// <summary>Keys that one statement touches, up to which they are announced by name.</summary>
    private const int MostNamed = 500;
    private const int Buckets = 64;

    private readonly string _rows;
    private readonly string _key;
    private readonly string _by;
    private readonly string _amount;
    private readonly string? _until;
    private readonly string? _through;
    private readonly string? _channel;
    private readonly string _sums;
    private readonly string _draws;
    private readonly string _ends;
    private readonly string _index;

    /// <param name="channel">On which touched keys are announced; null: nobody listens.</param>
    public AggregateSql(EntityDeclaration entity, string? channel)
    {
        var aggregate = entity.Aggregate!;
        (_rows, _channel, _sums) = (entity.EngineName, channel, aggregate.Name);
        _key = Sql.Identifier(entity.EngineKey);
        _by = Sql.Identifier(aggregate.By);
        _amount = Sql.Identifier(aggregate.Sum);
        _until = aggregate.Until is { } until ? Sql.Identifier(until) : null;
        _through = aggregate.Through is { } through ? Sql.Identifier(through) : null;
        var schema = Sql.Identifier(aggregate.Schema);
        _draws = $"{schema}.{Sql.Identifier(Stem(aggregate) + "_draws")}";
        _ends = $"{schema}.{Sql.Identifier(Stem(aggregate) + "_ends")}";
        _index = $"{Sql.Identifier(entity.EngineSchema)}.{Sql.Identifier(Stem(aggregate) + "_through")}";
        Function = $"{schema}.{Sql.Identifier(Stem(aggregate) + "_keep")}";
    }

    /// <summary>Of the triggers.</summary>
    public string Function { get; }

    /// <summary>What all that is made for the aggregate is named by.</summary>
    public static string Stem(AggregateDeclaration aggregate) => $"cdc_{aggregate.Table}";

    public IEnumerable<string> Tables =>
        [
            $"CREATE TABLE IF NOT EXISTS {_sums} ({_by} bigint NOT NULL, {Day} date NOT NULL, {Points} numeric NOT NULL, PRIMARY KEY ({_by}, {Day})) "
                + "WITH (fillfactor = 85)",
            // What can be added to and taken from: a sum that was NaN once would stay it.
            $"ALTER TABLE {_sums} ADD COLUMN IF NOT EXISTS finite numeric NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS odd bigint NOT NULL DEFAULT 0",
            .. _through is null
                ? []
                : (IEnumerable<string>)
                    [
                        // Of the version that read rows again.
                        $"DROP INDEX IF EXISTS {_index}",
                        $"CREATE TABLE IF NOT EXISTS {_draws} (through bigint NOT NULL, k bigint NOT NULL, {Day} date NOT NULL, finite numeric NOT NULL, "
                            + $"odd bigint NOT NULL, PRIMARY KEY (through, k, {Day})) WITH (fillfactor = 85)",
                        $"CREATE TABLE IF NOT EXISTS {_ends} (id bigint PRIMARY KEY, {Day} date NOT NULL)",
                    ],
        ];

    /// <summary>Everything anew, of the rows as they are.</summary>
    public IEnumerable<string> Fill =>
        [
            .. Empty,
            .. _through is null
                ? []
                : (IEnumerable<string>)
                    [
                        $"INSERT INTO {_ends} SELECT d.l, coalesce(p.day, 'infinity') FROM (SELECT DISTINCT l FROM ({Counted(_rows)}) c WHERE l IS NOT NULL) d "
                            + $"LEFT JOIN ({Ended(_rows)}) p ON p.id = d.l",
                        $"INSERT INTO {_draws} {Draws(Counted(_rows))}",
                    ],
            $"INSERT INTO {_sums} {Sums}",
        ];

    public string Wrong =>
        $"SELECT DISTINCT coalesce(w.k, a.{_by}) FROM ({Sums}) w FULL JOIN (SELECT * FROM {_sums} WHERE {Points} <> 0) a "
        + $"ON a.{_by} = w.k AND a.{Day} = w.day WHERE w.points IS DISTINCT FROM a.{Points}";

    // In the rights of its owner: who writes rows needs none on the sums. For the same reason with a search path of its own.
    public string Keep =>
        $"""
            CREATE OR REPLACE FUNCTION {Function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off AS $keep$
            DECLARE
                keys bigint[];
                days date[];
                finites numeric[];
                odds bigint[];
                there bigint[];
                gone_keys bigint[];
                gone_days date[];
                ended_ids bigint[];
                ended_days date[];
                moved_ids bigint[];
                moved_from date[];
                moved_to date[];
                gone_draws bigint[];
            BEGIN
                IF TG_OP = 'INSERT' THEN
            {Added(Counted("rows_now"), Ended("rows_now"))}
                ELSIF TG_OP = 'UPDATE' THEN
            {Added(
            $"{Counted("rows_now")} UNION ALL {Counted("rows_before", "-")}",
            $"{Ended("rows_now")} UNION ALL SELECT id, 'infinity' FROM (SELECT id FROM ({Ended("rows_before")}) b EXCEPT SELECT id FROM ({Ended("rows_now")}) n) away"
        )}
                ELSIF TG_OP = 'DELETE' THEN
            {Added(Counted("rows_before", "-"), $"SELECT id, 'infinity'::date AS day FROM ({Ended("rows_before")}) b")}
                ELSE
                    {string.Join("; ", Empty)};
            {(_channel is null ? "" : $"        PERFORM pg_notify('{_channel}', '{ChangeNotice.Everything}');")}
                END IF;
                IF cardinality(gone_keys) > 0 THEN
                    DELETE FROM {_sums} a USING unnest(gone_keys, gone_days) g(k, day) WHERE a.{_by} = g.k AND a.{Day} = g.day AND a.finite = 0 AND a.odd = 0;
                END IF;
            {(_channel is null ? "" : Announce)}
                RETURN NULL;
            END $keep$
            """;

    private IEnumerable<string> Empty =>
        [$"DELETE FROM {_sums}", .. _through is null ? [] : (IEnumerable<string>)[$"DELETE FROM {_draws}", $"DELETE FROM {_ends}"]];

    private string Announce =>
        $"""
                IF cardinality(keys) > 0 THEN
                    PERFORM pg_notify('{_channel}', CASE WHEN cardinality(keys) > {MostNamed} THEN '{ChangeNotice.Everything}'
                        ELSE (SELECT string_agg(DISTINCT k::text, ',') FROM unnest(keys) k) END);
                END IF;
            """;

    private string Sums
    {
        get
        {
            var ended =
                $"SELECT c.k, least(c.day, p.day) AS day, c.finite, c.odd FROM ({Counted(_rows)}) c LEFT JOIN ({Ended(_rows)}) p ON p.id = c.l";
            return $"SELECT k, day, {Shown("sum(finite)", "sum(odd)")} AS points, sum(finite), sum(odd) FROM ({ended}) c {Grouped("k, day")}";
        }
    }

    /// <summary>Only rows that Odoo has: those that were born in the engine are not in its sums.</summary>
    private string Odoos => $"{_key} < {EntityDeclaration.FirstEngineId}";

    private string LastDay => _until is null ? "'infinity'::date" : $"coalesce({_until}, 'infinity')";

    /// <summary>Each row with what it adds, and until when by itself: l is the row that it draws from.</summary>
    private string Counted(string rows, string sign = "") =>
        $"SELECT {_by} AS k, {_through ?? "NULL::bigint"} AS l, {LastDay} AS day, {sign}CASE WHEN {IsFinite} THEN {_amount} ELSE 0 END AS finite, "
        + $"{sign}CASE WHEN {IsFinite} THEN 0 ELSE 1 END AS odd FROM {rows} WHERE {Odoos} AND {_by} IS NOT NULL AND {_amount} IS NOT NULL";

    private string IsFinite => $"{_amount} > '-Infinity' AND {_amount} < 'Infinity'";

    /// <summary>Each row with its last day, as those that draw from it see it.</summary>
    private string Ended(string rows) => $"SELECT {_key} AS id, {LastDay} AS day FROM {rows} WHERE {Odoos}";

    /// <summary>A sum of anything that is no number is none.</summary>
    private static string Shown(string finite, string odd) => $"CASE WHEN {odd} > 0 THEN 'NaN' ELSE {finite} END";

    private static string Grouped(string columns) => $"GROUP BY {columns} HAVING sum(finite) <> 0 OR sum(odd) <> 0";

    private static string Draws(string counted) =>
        $"SELECT l, k, day, sum(finite), sum(odd) FROM ({counted}) c WHERE l IS NOT NULL {Grouped("l, k, day")}";

    /// <summary>
    /// Every statement finds rows of these tables by their keys, whatever plan a session has kept: by the conflict, by a subquery for each row, or
    /// from arrays in their order (no other join is allowed in the function), so that two sessions lock rows in one order.
    /// </summary>
    /// <param name="counted">What the statement adds.</param>
    /// <param name="ended">Last days of the rows that it wrote.</param>
    private string Added(string counted, string ended) =>
        _through is null ? Add($"SELECT k, day, finite, odd FROM ({counted}) c") : AddThrough(counted, ended);

    /// <summary>
    /// Those that are there are updated, and only the others inserted: an upsert locks a row before it updates it, which costs as much again. What
    /// another session inserts or deletes meanwhile is met by the insert's conflict.
    /// </summary>
    private string Add(string differences) =>
        $"""
                    SELECT array_agg(k), array_agg(day), array_agg(finite), array_agg(odd) INTO keys, days, finites, odds FROM (
                        SELECT k, day, sum(finite) AS finite, sum(odd)::bigint AS odd FROM ({differences}) d {Grouped("k, day")} ORDER BY k, day
                    ) s;
                    WITH added AS (
                        UPDATE {_sums} a SET finite = a.finite + d.finite, odd = a.odd + d.odd, {Points} = {Shown(
                "a.finite + d.finite",
                "a.odd + d.odd"
            )}
                        FROM unnest(keys, days, finites, odds) WITH ORDINALITY d(k, day, finite, odd, i) WHERE a.{_by} = d.k AND a.{Day} = d.day
                        RETURNING d.i, d.k, d.day, a.finite = 0 AND a.odd = 0 AS gone
                    )
                    SELECT ARRAY(SELECT i FROM added), ARRAY(SELECT k FROM added WHERE gone), ARRAY(SELECT day FROM added WHERE gone)
                        INTO there, gone_keys, gone_days;
                    IF cardinality(there) < cardinality(keys) THEN
                        INSERT INTO {_sums} AS a ({_by}, {Day}, {Points}, finite, odd)
                        SELECT k, day, {Shown("finite", "odd")}, finite, odd FROM unnest(keys, days, finites, odds) WITH ORDINALITY d(k, day, finite, odd, i)
                        WHERE i NOT IN (SELECT unnest(there)) ORDER BY k, day
                        ON CONFLICT ({_by}, {Day}) DO UPDATE SET finite = a.finite + EXCLUDED.finite, odd = a.odd + EXCLUDED.odd,
                            {Points} = {Shown("a.finite + EXCLUDED.finite", "a.odd + EXCLUDED.odd")};
                    END IF;
            """;

    /// <remarks>
    /// Another worker over Kafka may be writing a row that this one's draw from, which are seen only once it has committed: each statement of a
    /// function has a snapshot of its own.
    /// </remarks>
    private string AddThrough(string counted, string ended) =>
        $"""
                    PERFORM pg_advisory_xact_lock({AdvisoryLocks.Aggregates}, bucket) FROM (
                        SELECT DISTINCT (x & {Buckets - 1})::int AS bucket
                        FROM (SELECT id AS x FROM ({ended}) e UNION ALL SELECT l FROM ({counted}) c WHERE l IS NOT NULL) met ORDER BY 1
                    ) buckets;
                    SELECT array_agg(id), array_agg(day) INTO ended_ids, ended_days FROM ({ended}) e;
                    WITH found AS (
                        SELECT e.id, e.{Day} AS old, n.day AS new FROM unnest(ended_ids, ended_days) n(id, day) JOIN {_ends} e ON e.id = n.id WHERE e.{Day} <> n.day
                    ), written AS (UPDATE {_ends} e SET {Day} = f.new FROM found f WHERE e.id = f.id)
                    SELECT array_agg(f.id), array_agg(f.old), array_agg(f.new) INTO moved_ids, moved_from, moved_to FROM found f;
                    INSERT INTO {_ends} (id, {Day})
                        SELECT l, coalesce((SELECT p.day FROM ({Ended(_rows)}) p WHERE p.id = t.l), 'infinity') FROM (
                            SELECT DISTINCT l FROM ({counted}) c WHERE l IS NOT NULL AND (SELECT true FROM {_ends} e WHERE e.id = c.l) IS NULL
                        ) t;
            {Add(
            $"""
            SELECT k, CASE WHEN l IS NULL THEN day ELSE least(day, (SELECT e.{Day} FROM {_ends} e WHERE e.id = c.l)) END AS day, finite, odd FROM ({counted}) c
                            UNION ALL SELECT d.k, least(d.{Day}, m.old), - d.finite, - d.odd FROM unnest(moved_ids, moved_from) m(id, old) JOIN {_draws} d ON d.through = m.id
                            UNION ALL SELECT d.k, least(d.{Day}, m.new), d.finite, d.odd FROM unnest(moved_ids, moved_to) m(id, new) JOIN {_draws} d ON d.through = m.id
            """
        )}
                    WITH drawn AS (
                        INSERT INTO {_draws} AS a (through, k, {Day}, finite, odd) {Draws(counted)} ORDER BY l, k, day
                        ON CONFLICT (through, k, {Day}) DO UPDATE SET finite = a.finite + EXCLUDED.finite, odd = a.odd + EXCLUDED.odd
                        RETURNING a.through AS l, a.finite = 0 AND a.odd = 0 AS gone
                    )
                    SELECT ARRAY(SELECT DISTINCT l FROM drawn WHERE gone) INTO gone_draws;
                    IF cardinality(gone_draws) > 0 THEN
                        DELETE FROM {_draws} a USING unnest(gone_draws) g(l) WHERE a.through = g.l AND a.finite = 0 AND a.odd = 0;
                    END IF;
            """;
}
