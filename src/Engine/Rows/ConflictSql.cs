using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Engine.Rows;

/// <summary>
/// Keeps what Odoo changed of what the engine owns, as SQL: of every version that a row has had, also of those that Odoo itself has written
/// over since, and before any of them is written. The engine's row is <c>t</c>, a version is <c>s</c>.
/// </summary>
internal sealed class ConflictSql(EntityDeclaration entity, OwnerSql owner)
{
    private const string Position = "s.source_generation, s.source_lsn, s.source_ordinal";

    private readonly string _key = Sql.Identifier(entity.EngineKey);
    private readonly string _name = Sql.Literal(entity.Name);
    private readonly string? _number = entity.Reverse!.Number is null ? null : ReverseDeclaration.OdooNumberColumn;

    private string Versions => Sql.Identifier("versions_" + entity.Name);

    /// <summary>For staged versions, the newest of each key included. Empty where both sides may change everything.</summary>
    public IReadOnlyList<string> Statements =>
        [
            .. Enumerable.Repeat(Insert, owner.Absolute.Count > 0 || _number is not null ? 1 : 0),
            .. _number is null ? Array.Empty<string>() : [SyncLogSql.Lost(entity, Versions, Bit(_number))],
        ];

    private string Insert =>
        $"""
            INSERT INTO cdc.conflicts
                (entity, key, card, kind, field, odoo_value, engine_value, base_value, generation, lsn, ordinal, commit_at)
            SELECT {_name}, s.key, s.card, v.kind, v.field, v.odoo, v.engine, v.base, {Position}, s.source_commit_at
            FROM (
                SELECT {OwnerSql.Row}.{_key} AS key, {owner.Card} AS card, {Position}, s.source_commit_at,
                    t.source_generation AS known_generation{Seen}
                FROM {Versions} s JOIN {entity.EngineName} {OwnerSql.Row} ON {OwnerSql.Row}.{_key} = s.key
                WHERE ({OwnerSql.RowPosition}) < ({Position}) AND {owner.Owns} AND t.base IS DISTINCT FROM {BaseSql.Gone}
                    {(entity.Reverse!.Ref is null ? "" : $"AND NOT {owner.IsNew}")}
                WINDOW w AS (PARTITION BY s.key ORDER BY {Position})) s
            CROSS JOIN LATERAL (VALUES {Values}) v(field, kind, odoo, engine, base)
            WHERE v.kind IS NOT NULL
            ON CONFLICT DO NOTHING
            """;

    private string Values => string.Join(", ", owner.Absolute.Select(Change).Concat(_number is null ? [] : [GoneBack]));

    /// <summary>Of each column: what the version says, whether it says anything, what the engine has, and what was before.</summary>
    private string Seen =>
        string.Concat(
            owner.Absolute.Select(
                (c, i) =>
                    $",\n    {Now(c.Name)} AS now{i}, {IsKnown("s", c.Name)} AS known{i}, t.{Sql.Identifier(c.Name)} AS own{i}, "
                    + $"{Before(c)} AS before{i}"
            )
        )
        + (
            _number is null
                ? ""
                : $",\n    {Now(_number)} AS number, {IsKnown("s", _number)} AS known_number, "
                    + $"coalesce({Before(Column(_number))}, 0) AS before_number, t.own_number"
        );

    private string Change(EngineColumn column, int i)
    {
        var field = Sql.Literal(column.Name);
        string Json(string value) => $"to_jsonb({BaseSql.Json(column, $"s.{value}{i}")})";
        // What is already what the engine has is no loss.
        var differs = $"s.known{i} AND s.now{i} IS DISTINCT FROM s.own{i}";
        var kind = _number is null
            // By the value: nothing in the row says which of ours it has.
            ? $"CASE WHEN {differs} AND s.now{i} IS DISTINCT FROM s.before{i} AND NOT EXISTS (SELECT FROM cdc.sync_log l "
                + $"WHERE l.entity = {_name} AND l.id = s.key AND l.after -> {field} = {Json("now")}) THEN 'changed' END"
            : $"CASE WHEN {differs} THEN (SELECT CASE WHEN sent.value IS NULL AND s.now{i} IS DISTINCT FROM s.before{i} THEN 'changed' "
                + $"WHEN sent.value <> coalesce({Json("now")}, 'null') THEN 'altered' END "
                + $"FROM (SELECT CASE WHEN s.known_number AND s.number > s.before_number THEN {Sent(field)} END AS value) sent) END";
        return $"({field}, {kind}, {Json("now")}, {Json("own")}, {Json("before")})";
    }

    private string Sent(string field) => SyncLogSql.Sent(entity, "s.key", field, "s.before_number", "s.number");

    /// <summary>
    /// Somebody has set Odoo's number back: what is below the highest that was seen would come twice. A restored Odoo is another generation.
    /// </summary>
    private static string GoneBack =>
        $"('{ReverseDeclaration.OdooNumberColumn}', CASE WHEN s.known_number AND coalesce(s.number, 0) < s.before_number "
        + "AND s.source_generation = s.known_generation THEN 'number' END, to_jsonb(s.number), to_jsonb(s.own_number), to_jsonb(s.before_number))";

    private static string Now(string column) => $"s.{Sql.Identifier(column)}";

    /// <summary>In the version before, if it knows; else what Odoo last had. A version knows what those before it in the batch knew.</summary>
    private string Before(EngineColumn column) =>
        $"CASE WHEN lag({IsKnown("s", column.Name)}) OVER w THEN lag({Now(column.Name)}) OVER w "
        + $"ELSE {BaseSql.OdooValue(column, OwnerSql.Row)} END";

    private string IsKnown(string version, string column) => $"({version}.unknown & {Bit(column)} = 0)";

    private long Bit(string column) => 1L << entity.Columns.ToList().FindIndex(c => c.Name == column);

    private EngineColumn Column(string name) => entity.Columns.Single(c => c.Name == name);
}
