using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Engine.Rows;

/// <summary>
/// The parts of the statements that write Odoo's rows where the engine owns some, as text: the owner is evaluated in the statement that
/// writes. What the engine owns stays, and its base moves; numbers to which both sides add are merged, whoever owns the row. The engine's row
/// is <c>t</c>, Odoo's is <c>s</c>.
/// </summary>
internal sealed class OwnerSql
{
    private const string Row = "t";
    private const string RowPosition = "t.source_generation, t.source_lsn, t.source_ordinal";
    private const string StagedPosition = "s.source_generation, s.source_lsn, s.source_ordinal";

    private readonly EntityDeclaration _entity;
    private readonly string _name;
    private readonly string _key;
    private readonly string _card;
    private readonly EngineColumn[] _absolute;
    private readonly EngineColumn[] _additive;

    /// <param name="cards">Whose owner counts.</param>
    public OwnerSql(EntityDeclaration entity, EntityDeclaration cards)
    {
        var reverse = entity.Reverse!;
        (_entity, _name, _key) = (entity, Sql.Literal(entity.Name), Sql.Identifier(entity.EngineKey));
        _absolute = [.. entity.Columns.Where(c => reverse.Owned.Contains(c.Name) && !reverse.Additive.Contains(c.Name))];
        _additive = [.. entity.Columns.Where(c => reverse.Additive.Contains(c.Name))];
        _card = $"{Row}.{Sql.Identifier(reverse.CardColumn ?? entity.EngineKey)}";
        // A row that has a base was changed by its owner, whatever its card's row says in the statement's snapshot.
        (Owns, Keeps) = reverse.IsCard
            ? ($"{Row}.owner IS NOT DISTINCT FROM 'engine'", $"{Row}.owner IS NOT DISTINCT FROM 'engine'")
            : (
                $"({Row}.base IS NOT NULL OR EXISTS (SELECT FROM {cards.EngineName} o WHERE o.{Sql.Identifier(cards.EngineKey)} = {_card} AND o.owner = 'engine'))",
                $"{Row}.base IS NOT NULL"
            );
    }

    /// <summary>Null where nothing of the entity flows back to Odoo.</summary>
    public static OwnerSql? Of(EntityDeclaration entity, EntitySet entities) =>
        entity.Reverse is null ? null : new OwnerSql(entity, entities.Cards!);

    /// <summary>The engine's values count.</summary>
    private string Owns { get; }

    /// <summary>The row stays although Odoo has deleted it.</summary>
    public string Keeps { get; }

    /// <summary>Columns and base.</summary>
    /// <param name="odoos">What Odoo has now, for a column.</param>
    public IEnumerable<string> Sets(Func<EngineColumn, string> odoos) =>
        [
            .. _entity.Columns.Select(c => $"{Sql.Identifier(c.Name)} = {Value(c, odoos(c))}"),
            $"base = nullif({string.Join(" || ", BaseParts(odoos))}, '{{}}')",
        ];

    /// <summary>Odoo's row has changed, as an expression that is true or false.</summary>
    public string Differs(Func<EngineColumn, string> odoos) =>
        $"({string.Join(", ", _entity.Columns.Select(c => BaseSql.OdooValue(c, Row)))}) IS DISTINCT FROM ({string.Join(", ", _entity.Columns.Select(odoos))})";

    /// <summary>
    /// Keeps what Odoo changed of what the engine owns, with both values. Before the rows are written, which moves their base. A value that
    /// the engine has itself written is no change of Odoo's. Empty where both sides may change everything.
    /// </summary>
    public IReadOnlyList<string> Conflicts(string from, Func<EngineColumn, string> odoos)
    {
        if (_absolute.Length == 0)
            return [];
        var values = _absolute.Select(c =>
        {
            var (column, odoo) = ($"{Row}.{Sql.Identifier(c.Name)}", BaseSql.OdooValue(c, Row));
            return $"({Sql.Literal(c.Name)}, to_jsonb({BaseSql.Json(c, odoos(c))}), to_jsonb({BaseSql.Json(c, column)}), to_jsonb({BaseSql.Json(c, odoo)}), "
                + $"{odoos(c)} IS DISTINCT FROM {odoo} AND {odoos(c)} IS DISTINCT FROM {column})";
        });
        return
        [
            $"""
                INSERT INTO cdc.conflicts (entity, key, card, field, odoo_value, engine_value, base_value, generation, lsn, ordinal, commit_at)
                SELECT {_name}, {Row}.{_key}, {_card}, v.field, v.odoo, v.engine, v.base, {StagedPosition}, s.source_commit_at
                FROM {from} s JOIN {_entity.EngineName} {Row} ON {Row}.{_key} = s.key
                CROSS JOIN LATERAL (VALUES {string.Join(", ", values)}) v(field, odoo, engine, base, differs)
                WHERE ({RowPosition}) < ({StagedPosition}) AND {Owns} AND v.differs
                  AND NOT EXISTS (SELECT FROM cdc.sync_log l WHERE l.entity = {_name} AND l.id = {Row}.{_key} AND l.after -> v.field = v.odoo)
                ON CONFLICT DO NOTHING
                """,
        ];
    }

    /// <summary>Rows that Odoo has deleted, and the engine keeps: recorded, and marked as such. Before others are deleted.</summary>
    /// <param name="from">Rows <c>s</c>, to be read FROM; null: none but the position.</param>
    /// <param name="where">Of <c>t</c>, which are older.</param>
    /// <param name="position">Generation, LSN, ordinal.</param>
    public IReadOnlyList<string> Gone(string? from, string where, (string Generation, string Lsn, string Ordinal) position)
    {
        var (generation, lsn, ordinal) = position;
        return
        [
            $"""
                INSERT INTO cdc.conflicts (entity, key, card, field, engine_value, base_value, generation, lsn, ordinal)
                SELECT {_name}, {Row}.{_key}, {_card}, '*', {BaseSql.Row(_entity, Row)}, {Row}.base, {generation}, {lsn}, {ordinal}
                FROM {_entity.EngineName} {Row}{(from is null ? "" : $", {from}")}
                WHERE {where} AND {Keeps} AND {Row}.base IS DISTINCT FROM {BaseSql.Gone} ON CONFLICT DO NOTHING
                """,
            $"UPDATE {_entity.EngineName} {Row} SET base = {BaseSql.Gone}, source_generation = {generation}, source_lsn = {lsn}, source_ordinal = {ordinal}"
                + $"{(from is null ? "" : $" FROM {from}")} WHERE {where} AND {Keeps}",
        ];
    }

    private string Value(EngineColumn column, string odoos)
    {
        var own = $"{Row}.{Sql.Identifier(column.Name)}";
        if (_additive.Contains(column))
            return $"CASE WHEN {BaseSql.Has(column, Row)} THEN coalesce({own}, 0) + coalesce({odoos}, 0) - coalesce({BaseSql.Of(column, Row)}, 0) ELSE {odoos} END";
        return _absolute.Contains(column) ? $"CASE WHEN {Owns} THEN {own} ELSE {odoos} END" : odoos;
    }

    private IEnumerable<string> BaseParts(Func<EngineColumn, string> odoos)
    {
        string Part(EngineColumn column, string when) =>
            $"CASE WHEN {when} THEN jsonb_build_object({Sql.Literal(column.Name)}, {BaseSql.Json(column, odoos(column))}) ELSE '{{}}' END";
        foreach (var column in _additive)
            yield return Part(
                column,
                $"{BaseSql.Has(column, Row)} AND {BaseSql.Of(column, Row)} IS DISTINCT FROM {Row}.{Sql.Identifier(column.Name)}"
            );
        if (_absolute.Length > 0)
            yield return $"CASE WHEN {Owns} THEN {string.Join(" || ", _absolute.Select(c => Part(c, $"{odoos(c)} IS DISTINCT FROM {Row}.{Sql.Identifier(c.Name)}")))} ELSE '{{}}' END";
    }
}
