using System.Security.Cryptography;
using System.Text;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Npgsql;

namespace Cdc.Engine.Migrations;

/// <summary>
/// The table of an aggregate and what keeps it: triggers on the entity's table, which sum up the keys that a statement touched and read
/// nothing else. So it is right in every transaction that anybody commits, whichever way the rows came (stream,
/// load, repair, a person), and over Kafka whichever worker wrote them.
/// </summary>
public sealed class DeclaredAggregate
{
    private const string Day = AggregateDeclaration.DayColumn;
    private const string Points = AggregateDeclaration.SumColumn;

    /// <summary>Keys that one statement touches, up to which they are announced by name and only what changed is written.</summary>
    private const int MostNamed = 500;
    private const int Buckets = 64;

    private readonly EntityDeclaration _entity;
    private readonly AggregateDeclaration _aggregate;
    private readonly string? _channel;
    private readonly string _key;
    private readonly string _by;
    private readonly string _sum;
    private readonly string _until;
    private readonly string? _through;

    private DeclaredAggregate(EntityDeclaration entity, EntitySet entities)
    {
        (_entity, _aggregate) = (entity, entity.Aggregate!);
        var parent = entity.Parents.FirstOrDefault(p => p.Column == _aggregate.By);
        // Whoever keeps the parent's rows in memory with their sums hears of a change.
        _channel =
            parent is not null && entities.Find(parent.Entity) is { NotifyColumn: not null } card ? ChangeNotice.Channel(card.Name) : null;
        _key = Sql.Identifier(entity.EngineKey);
        _by = Sql.Identifier(_aggregate.By);
        _sum = Sql.Identifier(_aggregate.Sum);
        _until = _aggregate.Until is { } until ? $"coalesce({Sql.Identifier(until)}, 'infinity')" : "'infinity'::date";
        _through = _aggregate.Through is { } through ? Sql.Identifier(through) : null;
    }

    private string Stem => $"cdc_{_aggregate.Table}";

    private string Function => $"{Sql.Identifier(_aggregate.Schema)}.{Sql.Identifier(Stem + "_keep")}";

    private string Table =>
        $"CREATE TABLE IF NOT EXISTS {_aggregate.Name} ({_by} bigint NOT NULL, {AggregateDeclaration.DayColumn} date NOT NULL, "
        + $"{AggregateDeclaration.SumColumn} numeric NOT NULL, PRIMARY KEY ({_by}, {AggregateDeclaration.DayColumn})) WITH (fillfactor = 85)";

    /// <summary>Only rows that Odoo has: those that were born in the engine are not in its sums.</summary>
    private string Odoos => $"{_key} < {EntityDeclaration.FirstEngineId}";

    // In the rights of its owner: who writes rows needs none on the sums. For the same reason with a search path of its own.
    private string Keep =>
        $"""
            CREATE OR REPLACE FUNCTION {Function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $keep$
            DECLARE
                touched bigint[];
            BEGIN
                IF TG_OP = 'INSERT' THEN
            {Body("(SELECT * FROM rows_now WHERE false)", "rows_now")}
                ELSIF TG_OP = 'DELETE' THEN
            {Body("rows_before", "(SELECT * FROM rows_before WHERE false)")}
                ELSIF TG_OP = 'UPDATE' THEN
            {Body("rows_before", "rows_now")}
                ELSE
                    DELETE FROM {_aggregate.Name};
            {(_channel is null ? "" : $"        PERFORM pg_notify('{_channel}', '{ChangeNotice.Everything}');")}
                END IF;
            {Write}
                RETURN NULL;
            END $keep$
            """;

    private IEnumerable<string> Triggers
    {
        get
        {
            (string What, string Rows)[] events =
            [
                ("insert", "REFERENCING NEW TABLE AS rows_now"),
                ("update", "REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_now"),
                ("delete", "REFERENCING OLD TABLE AS rows_before"),
                ("truncate", ""),
            ];
            foreach (var (what, rows) in events)
            {
                var name = Sql.Identifier($"{Stem}_{what}");
                yield return $"DROP TRIGGER IF EXISTS {name} ON {_entity.EngineName}";
                yield return $"CREATE TRIGGER {name} AFTER {what.ToUpperInvariant()} ON {_entity.EngineName} {rows} FOR EACH STATEMENT EXECUTE FUNCTION {Function}()";
                // Also in sessions that have switched off the triggers of foreign keys.
                yield return $"ALTER TABLE {_entity.EngineName} ENABLE ALWAYS TRIGGER {name}";
            }
        }
    }

    /// <summary>What the sums are of the rows as they are: by key and day.</summary>
    public string Sums => SumsOf(Contributions());

    /// <summary>What a comparison calls it if the sums are not those of the rows.</summary>
    public string Kind => $"engine-{_aggregate.Table.Replace('_', '-')}-wrong";

    /// <summary>SQL that gives the keys whose sums are wrong: in one snapshot there are none.</summary>
    public string Wrong =>
        $"SELECT DISTINCT coalesce(w.k, a.{_by}) FROM ({Sums}) w(k, until, points) FULL JOIN (SELECT * FROM {_aggregate.Name} WHERE {AggregateDeclaration.SumColumn} <> 0) a "
        + $"ON a.{_by} = w.k AND a.{AggregateDeclaration.DayColumn} = w.until WHERE w.points IS DISTINCT FROM a.{AggregateDeclaration.SumColumn}";

    private IEnumerable<string> Statements =>
        [
            Table,
            .. _through is null
                ? []
                : (IEnumerable<string>)
                    [
                        $"CREATE INDEX IF NOT EXISTS {Sql.Identifier(Stem + "_through")} ON {_entity.EngineName} ({_through}) WHERE {_through} IS NOT NULL",
                    ],
            Keep,
            .. Triggers,
            $"DELETE FROM {_aggregate.Name}",
            $"INSERT INTO {_aggregate.Name} {Sums}",
        ];

    /// <summary>Changes with every part of it.</summary>
    private string Version => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(';', Statements))))[..16];

    public static IEnumerable<DeclaredAggregate> Of(EntitySet entities) =>
        entities.All.Where(e => e.Aggregate is not null).Select(e => new DeclaredAggregate(e, entities));

    /// <summary>Makes what is not there as it is declared, and sums up what is.</summary>
    public static async Task EnsureAsync(NpgsqlDataSource engine, EntitySet entities, CancellationToken ct)
    {
        foreach (var aggregate in Of(entities))
            await aggregate.EnsureAsync(engine, ct);
    }

    public static async Task<IReadOnlyList<Finding>> FindAsync(NpgsqlDataSource engine, EntitySet entities, CancellationToken ct)
    {
        var findings = new List<Finding>();
        await using var connection = await engine.OpenConnectionAsync(ct);
        foreach (var aggregate in Of(entities))
            if (!await aggregate.IsKeptAsync(connection, ct))
                findings.Add(
                    new Finding(
                        "engine-aggregate",
                        IsError: true,
                        $"The engine does not keep {aggregate._aggregate.Name}, the sums of {aggregate._entity.Name}, as it is declared.",
                        "Run 'cdc migrate'."
                    )
                );
        return findings;
    }

    private async Task EnsureAsync(NpgsqlDataSource engine, CancellationToken ct)
    {
        await using var connection = await engine.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.Statement($"SELECT pg_advisory_xact_lock({AdvisoryLocks.Migrations})").ExecuteAsync(ct);
        if (await IsKeptAsync(connection, ct))
            return;
        // Nobody writes rows between the triggers and the first sums.
        await connection.Statement($"LOCK TABLE {_entity.EngineName} IN SHARE ROW EXCLUSIVE MODE").ExecuteAsync(ct);
        foreach (var sql in Statements)
            await Run(connection, sql, ct);
        await Run(connection, $"COMMENT ON FUNCTION {Function}() IS 'cdc {Version}'", ct);
        await transaction.CommitAsync(ct);
    }

    private static async Task Run(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    private Task<bool> IsKeptAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection
            .Statement(
                """
                SELECT coalesce(obj_description(to_regprocedure($1 || '()'), 'pg_proc') = $2, false)
                    AND to_regclass($3) IS NOT NULL
                    AND (SELECT count(*) = 4 FROM pg_trigger WHERE tgrelid = to_regclass($4) AND tgname LIKE $5 AND tgenabled = 'A')
                """,
                Function,
                $"cdc {Version}",
                _aggregate.Name,
                _entity.EngineName,
                $"{Stem.Replace("_", "\\_", StringComparison.Ordinal)}\\_%"
            )
            .ScalarAsync<bool>(ct);

    /// <summary>Each row with what it adds and until when.</summary>
    /// <param name="ofTouched">Those of the touched keys. As a join: how a plan that is kept takes "= ANY" of an array of any length depends
    /// on how much was in the table when it was made.</param>
    private string Contributions(bool ofTouched = false)
    {
        var rows = $"{_entity.EngineName} h";
        if (ofTouched)
            rows = $"unnest(touched) t(k) JOIN {rows} ON h.{_by} = t.k";
        return _through is null
            ? $"SELECT h.{_by}, h.{_sum} AS amount, {Of("h", _until)} AS until FROM {rows} WHERE h.{Odoos}"
            : $"SELECT h.{_by}, h.{_sum} AS amount, least({Of("h", _until)}, coalesce(l.until, 'infinity')) AS until FROM {rows} "
                + $"LEFT JOIN (SELECT {_key} AS linked, {_until} AS until FROM {_entity.EngineName} WHERE {Odoos}) l ON l.linked = h.{_through} WHERE h.{Odoos}";
    }

    private static string Of(string alias, string expression) =>
        expression.Replace("coalesce(", $"coalesce({alias}.", StringComparison.Ordinal);

    /// <param name="before">Rows as they were; in SQL.</param>
    /// <param name="now">Rows as they are.</param>
    private string Body(string before, string now) =>
        $"""
                    touched := ARRAY(SELECT k FROM ({Touched(before)} UNION {Touched(now)}{(
            _through is null ? "" : $" UNION {Children(before)} UNION {Children(now)}"
        )}) t WHERE k IS NOT NULL);
            """;

    private string Touched(string rows) => $"SELECT {_by} AS k FROM {rows} x WHERE {Odoos}";

    /// <summary>Of rows that draw from changed ones.</summary>
    private string Children(string rows) =>
        $"SELECT h.{_by} FROM {_entity.EngineName} h JOIN {rows} x ON x.{_key} = h.{_through} WHERE h.{Odoos}";

    // An upsert fires two triggers, each with a part of what it changed and the table as it is after both: a difference that one of them
    // makes up would count what the other does. What a key comes to is right whoever asks, so all of the touched keys are summed up.
    // Of many keys all sums are made anew: which of them are gone would be asked of a plan that knows neither how many there are nor how
    // many there will be, and may look through all new ones for each old one: of a first load that ended after hours.
    private string Write =>
        $"""
                IF cardinality(touched) > 0 THEN
                    -- Another worker over Kafka may be writing rows of the same key, which are seen only once it has committed: each statement of
                    -- a function has a snapshot of its own.
                    PERFORM pg_advisory_xact_lock({AdvisoryLocks.Aggregates}, bucket)
                        FROM (SELECT DISTINCT (k & {Buckets - 1})::int AS bucket FROM unnest(touched) k ORDER BY 1) buckets;
                    IF cardinality(touched) > {MostNamed} THEN
                        DELETE FROM {_aggregate.Name} a USING unnest(touched) t(k) WHERE a.{_by} = t.k;
                        INSERT INTO {_aggregate.Name} ({_by}, {Day}, {Points}) SELECT k, until, amount FROM ({SumsOf(
                Contributions(ofTouched: true)
            )}) sums ORDER BY k, until;
                    ELSE
                        WITH sums AS MATERIALIZED ({SumsOf(Contributions(ofTouched: true))}), gone AS (
                            DELETE FROM {_aggregate.Name} a USING unnest(touched) t(k)
                            WHERE a.{_by} = t.k AND NOT EXISTS (SELECT FROM sums s WHERE s.k = a.{_by} AND s.until = a.{Day})
                        )
                        INSERT INTO {_aggregate.Name} AS a ({_by}, {Day}, {Points}) SELECT k, until, amount FROM sums ORDER BY k, until
                        ON CONFLICT ({_by}, {Day}) DO UPDATE SET {Points} = EXCLUDED.{Points} WHERE a.{Points} <> EXCLUDED.{Points};
                    END IF;
            {(_channel is null ? "" : Announce)}
                END IF;
            """;

    private string SumsOf(string contributions) =>
        $"SELECT {_by} AS k, until, sum(amount) AS amount FROM ({contributions}) r WHERE amount IS NOT NULL AND {_by} IS NOT NULL GROUP BY 1, 2 HAVING sum(amount) <> 0";

    private string Announce =>
        $"        PERFORM pg_notify('{_channel}', CASE WHEN cardinality(touched) > {MostNamed} THEN '{ChangeNotice.Everything}' ELSE array_to_string(touched, ',') END);";
}
