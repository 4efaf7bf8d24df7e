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
    internal const string Row = "t";
    internal const string RowPosition = "t.source_generation, t.source_lsn, t.source_ordinal";

    private readonly EntityDeclaration _entity;
    private readonly string _name;
    private readonly string _key;
    private readonly EngineColumn[] _merged;
    private readonly EngineColumn? _number;

    /// <param name="cards">Whose owner counts.</param>
    public OwnerSql(EntityDeclaration entity, EntityDeclaration cards)
    {
        var reverse = entity.Reverse!;
        (_entity, _name, _key) = (entity, Sql.Literal(entity.Name), Sql.Identifier(entity.EngineKey));
        Absolute = [.. entity.Columns.Where(c => reverse.Owned.Contains(c.Name) && !reverse.Merged.Contains(c.Name))];
        _merged = [.. entity.Columns.Where(c => reverse.Merged.Contains(c.Name))];
        _number = reverse.Number is null ? null : entity.Columns.Single(c => c.Name == ReverseDeclaration.OdooNumberColumn);
        Card = $"{Row}.{Sql.Identifier(reverse.CardColumn ?? entity.EngineKey)}";
        // A row that has a base was changed by its owner, whatever its card's row says in the statement's snapshot.
        (Owns, Keeps) = reverse.IsCard
            ? ($"{Row}.owner IS NOT DISTINCT FROM 'engine'", $"{Row}.owner IS NOT DISTINCT FROM 'engine'")
            : (
                $"({Row}.base IS NOT NULL OR EXISTS (SELECT FROM {cards.EngineName} o WHERE o.{Sql.Identifier(cards.EngineKey)} = {Card} AND o.owner = 'engine'))",
                $"{Row}.base IS NOT NULL"
            );
    }

    /// <summary>Null where nothing of the entity flows back to Odoo.</summary>
    public static OwnerSql? Of(EntityDeclaration entity, EntitySet entities) =>
        entity.Reverse is null ? null : new OwnerSql(entity, entities.Cards!);

    /// <summary>The card whose owner counts, as a column of the row.</summary>
    internal string Card { get; }

    /// <summary>Columns of which the owner's value counts.</summary>
    internal IReadOnlyList<EngineColumn> Absolute { get; }

    /// <summary>The engine's values count.</summary>
    internal string Owns { get; }

    /// <summary>Odoo's row is seen for the first time.</summary>
    internal string IsNew =>
        $"({Row}.{_key} >= {EntityDeclaration.FirstEngineId} AND {Row}.{Sql.Identifier(_entity.OdooId!.Name)} IS NULL)";

    /// <summary>The row stays although Odoo has deleted it.</summary>
    public string Keeps { get; }

    /// <summary>Columns and base.</summary>
    /// <param name="odoos">What Odoo has now, for a column.</param>
    /// <param name="odoosRow">Alias of its row.</param>
    public IEnumerable<string> Sets(Func<EngineColumn, string> odoos, string odoosRow) =>
        [
            .. _entity.Columns.Select(c => $"{Sql.Identifier(c.Name)} = {Value(c, odoos, odoosRow)}"),
            $"base = nullif({string.Join(" || ", BaseParts(odoos, odoosRow))}, '{{}}')",
        ];

    /// <summary>Odoo's row has changed, as an expression that is true or false.</summary>
    public string Differs(Func<EngineColumn, string> odoos) =>
        $"({string.Join(", ", _entity.Columns.Select(c => BaseSql.OdooValue(c, Row)))}) IS DISTINCT FROM ({string.Join(", ", _entity.Columns.Select(odoos))})";

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
                INSERT INTO cdc.conflicts (entity, key, card, kind, field, engine_value, base_value, generation, lsn, ordinal)
                SELECT {_name}, {Row}.{_key}, {Card}, 'deleted', '*', {BaseSql.Row(
                    _entity,
                    Row
                )}, {Row}.base, {generation}, {lsn}, {ordinal}
                FROM {_entity.EngineName} {Row}{(from is null ? "" : $", {from}")}
                WHERE {where} AND {Keeps} AND {Row}.base IS DISTINCT FROM {BaseSql.Gone} ON CONFLICT DO NOTHING
                """,
            $"UPDATE {_entity.EngineName} {Row} SET base = {BaseSql.Gone}, source_generation = {generation}, source_lsn = {lsn}, source_ordinal = {ordinal}"
                + $"{(from is null ? "" : $" FROM {from}")} WHERE {where} AND {Keeps}",
        ];
    }

    private string Value(EngineColumn column, Func<EngineColumn, string> odoos, string odoosRow)
    {
        var own = $"{Row}.{Sql.Identifier(column.Name)}";
        if (_merged.Contains(column))
            return Merged(column, odoos, odoosRow);
        return Absolute.Contains(column) ? $"CASE WHEN {Owns} THEN {own} ELSE {odoos(column)} END" : odoos(column);
    }

    /// <summary>
    /// What the engine has, and what Odoo has more than before, without what it has more because it was sent it. All of one version of the
    /// row, and of own changes that were committed before they were sent: an own change that commits meanwhile is in the row alone.
    /// </summary>
    private string Merged(EngineColumn column, Func<EngineColumn, string> odoos, string odoosRow)
    {
        var (own, odoo, number) = ($"{Row}.{Sql.Identifier(column.Name)}", odoos(column), odoos(_number!));
        var sum = $"coalesce({own}, 0) + coalesce({odoo}, 0) - coalesce({BaseSql.OdooValue(column, Row)}, 0)";
        // What was born in the engine adds all that it is to what Odoo has not.
        if (_entity.Reverse!.Ref is not null)
            sum =
                $"coalesce({own}, 0) + coalesce({odoo}, 0) - CASE WHEN {IsNew} THEN 0 ELSE coalesce({BaseSql.OdooValue(column, Row)}, 0) END";
        var differs = BaseSql.Has(column, Row) + (_entity.Reverse!.Ref is null ? "" : $" OR {IsNew}");
        return $"CASE WHEN {number} IS DISTINCT FROM {Row}.{Sql.Identifier(_number!.Name)} "
            + $"THEN {sum} - {SyncLogSql.Arrived(_entity, column, number, odoosRow)} WHEN {differs} THEN {sum} ELSE {odoo} END";
    }

    private IEnumerable<string> BaseParts(Func<EngineColumn, string> odoos, string odoosRow)
    {
        string Part(EngineColumn column, string when) =>
            $"CASE WHEN {when} THEN jsonb_build_object({Sql.Literal(column.Name)}, {BaseSql.Json(column, odoos(column))}) ELSE '{{}}' END";
        foreach (var column in _merged)
            yield return Part(column, $"{odoos(column)} IS DISTINCT FROM ({Merged(column, odoos, odoosRow)})");
        var owned = Absolute.Select(c => Part(c, $"{odoos(c)} IS DISTINCT FROM {Row}.{Sql.Identifier(c.Name)}"));
        if (Absolute.Count > 0)
            yield return $"CASE WHEN {Owns} THEN {string.Join(" || ", owned)} ELSE '{{}}' END";
    }
}
