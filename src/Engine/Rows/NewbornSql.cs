using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Engine.Rows;

/// <summary>
/// What was born in the engine and comes back from Odoo under an id of Odoo's, as SQL: staged rows get the key of the engine's row, and so do
/// references to it. Known by the name that Odoo's row carries, which is its create's in cdc.sync_log, and from then on by Odoo's id.
/// </summary>
internal sealed class NewbornSql
{
    private const long First = EntityDeclaration.FirstEngineId;

    /// <summary>Anything else that somebody wrote there names nothing.</summary>
    private const string Uuid = "'^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'";

    // Over Kafka a card and its rows come in any order, to several workers.
    private static readonly string Lock = $"SELECT pg_advisory_xact_lock({AdvisoryLocks.Newborns})";

    private readonly EntityDeclaration _entity;
    private readonly string _key;
    private readonly Dictionary<string, EntityDeclaration> _parents;
    private readonly IReadOnlyList<(EntityDeclaration Entity, string Column)> _children;

    private NewbornSql(EntityDeclaration entity, EntitySet entities)
    {
        (_entity, _key) = (entity, Sql.Identifier(entity.EngineKey));
        OdooId = entity.Reverse!.Ref is null ? null : Sql.Identifier(entity.OdooId!.Name);
        _parents = entity
            .Parents.Select(p => (p.Column, Entity: entities.Find(p.Entity)))
            .Where(p => p.Entity?.Reverse?.Ref is not null)
            .ToDictionary(p => p.Column, p => p.Entity!);
        _children =
        [
            .. entities
                .All.Where(e => e.Reverse is not null)
                .SelectMany(e => e.Parents.Where(p => p.Entity == entity.Name).Select(p => (e, Sql.Identifier(p.Column)))),
        ];
    }

    /// <summary>The engine's column with Odoo's id; null: only what its rows refer to has a name.</summary>
    public string? OdooId { get; }

    /// <summary>Null where nothing names what comes back, nor what it refers to.</summary>
    public static NewbornSql? Of(EntityDeclaration entity, EntitySet entities) =>
        entity.Reverse is not null && new NewbornSql(entity, entities) is { } born && (born.OdooId is not null || born._parents.Count > 0)
            ? born
            : null;

    /// <summary>The engine has rows that were born there, or that its rows may refer to: as an expression that is true or false.</summary>
    public string Any =>
        string.Join(
            " OR ",
            _parents
                .Values.Concat(OdooId is null ? [] : [_entity])
                .Select(e => $"EXISTS (SELECT FROM {e.EngineName} WHERE {Sql.Identifier(e.EngineKey)} >= {First})")
        );

    /// <summary>Of staged rows, before anything else is made of them. What the application has deleted meanwhile is not there any more.</summary>
    public IEnumerable<string> Name(string staged) =>
        [
            .. _parents.SelectMany(p =>
            {
                var (key, column) = (Sql.Identifier(p.Value.EngineKey), Sql.Identifier(p.Key));
                var id = Sql.Identifier(p.Value.OdooId!.Name);
                return (string[])
                    [
                        $"{Lock} FROM {staged} s WHERE s.{column} IS NOT NULL "
                            + $"AND NOT EXISTS (SELECT FROM {p.Value.EngineName} p WHERE p.{key} = s.{column}) LIMIT 1",
                        $"UPDATE {staged} s SET {column} = p.{key} FROM {p.Value.EngineName} p WHERE p.{key} >= {First} AND p.{id} = s.{column}",
                    ];
            }),
            .. OdooId is null ? Array.Empty<string>() : NameRows(staged),
        ];

    private IEnumerable<string> NameRows(string staged) =>
        [
            $"UPDATE {staged} s SET key = t.{_key} FROM {_entity.EngineName} t WHERE t.{_key} >= {First} AND t.{OdooId} = s.key",
            $"""
                UPDATE {staged} s SET key = l.id FROM cdc.sync_log l
                WHERE s.key < {First} AND l.uuid = (CASE WHEN s.{ReverseDeclaration.OdooRefColumn} ~ {Uuid} THEN s.{ReverseDeclaration.OdooRefColumn} END)::uuid
                  AND l.entity = {Sql.Literal(_entity.Name)} AND l.action = 'create'
                """,
            $"{Lock} FROM {staged} s JOIN {_entity.EngineName} t ON t.{_key} = s.key WHERE s.key >= {First} AND t.{OdooId} IS NULL LIMIT 1",
            $"DELETE FROM {staged} s WHERE s.key >= {First} AND NOT EXISTS (SELECT FROM {_entity.EngineName} t WHERE t.{_key} = s.key)",
        ];

    /// <summary>After rows are written: what referred to Odoo's id of one that is known now. Again with each of its changes.</summary>
    /// <param name="versions">Of which rows.</param>
    public IEnumerable<string> Repoint(string versions) =>
        (OdooId is null ? [] : _children).Select(child =>
            $"UPDATE {child.Entity.EngineName} c SET {child.Column} = t.{_key} FROM {versions} s JOIN {_entity.EngineName} t ON t.{_key} = s.key "
            + $"WHERE s.key >= {First} AND c.{child.Column} = t.{OdooId}"
        );

    /// <summary>Keys of deletes, <c>s</c>.</summary>
    /// <param name="keys">As Odoo has them, with the alias s and its columns.</param>
    public string Renamed(string keys) =>
        OdooId is null
            ? keys
            : $"(SELECT coalesce(n.{_key}, s.key) AS key, s.source_generation, s.source_lsn, s.source_ordinal FROM {keys} "
                + $"LEFT JOIN {_entity.EngineName} n ON n.{_key} >= {First} AND n.{OdooId} = s.key) s";

    /// <summary>Of a reference the id that Odoo has; null: the column is none to what may be born in the engine.</summary>
    public string? OdoosParent(EngineColumn column, string row)
    {
        if (!_parents.TryGetValue(column.Name, out var parent))
            return null;
        var value = BaseSql.OdooValue(column, row);
        return $"CASE WHEN {value} < {First} THEN {value} ELSE (SELECT p.{Sql.Identifier(parent.OdooId!.Name)} FROM {parent.EngineName} p "
            + $"WHERE p.{Sql.Identifier(parent.EngineKey)} = {value}) END";
    }
}
