using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// Sums of an entity's money columns by program and company, as text; the same spans and keys as <see cref="SideSql"/>. Rows without these
/// columns are summed by their parent first, and then by what the parent has; by nothing where the parent's table cannot be compared, since
/// equal rows would be in different groups then.
/// </summary>
internal sealed class MoneySql
{
    private const string ProgramColumn = "program_id";
    private const string CompanyColumn = "company_id";

    private readonly EntityDeclaration _entity;
    private readonly (ParentReference Reference, EntityDeclaration Entity)? _parent;

    public MoneySql(EntityDeclaration entity, EntitySet entities, IReadOnlyList<CanonicalColumn> columns)
    {
        _entity = entity;
        Money = [.. columns.Where(c => c.Scale is not null)];
        if (Column(entity, ProgramColumn) is null && Column(entity, CompanyColumn) is null)
            _parent = entity
                .Parents.Select(p => ((ParentReference, EntityDeclaration)?)(p, entities.Find(p.Entity)!))
                .FirstOrDefault(p => Column(p!.Value.Item2, ProgramColumn) is not null || Column(p.Value.Item2, CompanyColumn) is not null);
    }

    /// <summary>By whose program and company rows are summed; null: by their own. A parent that is not compared counts as unknown on both sides, or
    /// equal rows would be in different groups: its keys travel as $4, ranges as $5 and $6.</summary>
    public EntityDeclaration? Parent => _parent?.Entity;

    /// <summary>The columns that are summed, in the order of the answer.</summary>
    public IReadOnlyList<CanonicalColumn> Money { get; }

    /// <summary>Program, company, then the sums.</summary>
    /// <param name="byParent">Where rows are summed by their parent: it can be compared.</param>
    public string Source(SideSql side, bool byParent) => Of(side, byParent, c => c.SourceForm, OfSource);

    /// <summary>The same of the engine's rows.</summary>
    public string Engine(SideSql side, bool byParent) => Of(side, byParent, c => c.EngineForm, OfEngine);

    /// <summary>Reads no row of the parent, and fails where <see cref="Source"/> would.</summary>
    public string SourceParent => Probe(OfSource);

    /// <summary>The same of the engine's table.</summary>
    public string EngineParent => Probe(OfEngine);

    private static (string Table, string Key, Func<EngineColumn, string> Value) OfSource(EntityDeclaration e) =>
        (e.SourceRows, Sql.Identifier(e.Key.Name), c => $"({c.Value})");

    private static (string Table, string Key, Func<EngineColumn, string> Value) OfEngine(EntityDeclaration e) =>
        (e.EngineName, Sql.Identifier(e.EngineKey), c => Sql.Identifier(c.Name));

    private string Probe(Func<EntityDeclaration, (string Table, string Key, Func<EngineColumn, string> Value)> side)
    {
        var (parent, (table, key, value)) = (_parent!.Value.Entity, side(_parent.Value.Entity));
        return $"SELECT {key}, {Value(parent, ProgramColumn, value)}, {Value(parent, CompanyColumn, value)} FROM {table} AS cdc_row LIMIT 0";
    }

    private string Of(
        SideSql side,
        bool byParent,
        Func<CanonicalColumn, string> form,
        Func<EntityDeclaration, (string Table, string Key, Func<EngineColumn, string> Value)> table
    )
    {
        var sums = Money.Select((c, i) => $"sum({form(c)}) AS sum_{i}");
        var value = table(_entity).Value;
        if (_parent is not { } parent || !byParent)
            return $"SELECT program, company, {Scaled("")} FROM ({side.Grouped($"{Value(_entity, ProgramColumn, value)} AS program, {Value(_entity, CompanyColumn, value)} AS company", sums, 2)}) AS cdc_rows GROUP BY 1, 2";
        var (parentTable, parentKey, _) = table(parent.Entity);
        var reference = value(Column(_entity, parent.Reference.Column)!);
        return $"""
            SELECT cdc_parent.program, cdc_parent.company, {Scaled("cdc_rows.")}
            FROM (SELECT parent, {string.Join(", ", Money.Select((_, i) => $"sum(sum_{i}) AS sum_{i}"))} FROM ({side.Grouped(
                $"{reference} AS parent",
                sums,
                1
            )}) AS cdc_spans GROUP BY 1) AS cdc_rows
            LEFT JOIN LATERAL (SELECT {Value(parent.Entity, ProgramColumn, value)} AS program, {Value(
                parent.Entity,
                CompanyColumn,
                value
            )} AS company FROM {parentTable} AS cdc_row WHERE cdc_row.{parentKey} = cdc_rows.parent AND NOT cdc_row.{parentKey} = ANY($4::bigint[])
                AND NOT EXISTS (SELECT FROM unnest($5::bigint[], $6::bigint[]) AS cdc_left(low, high) WHERE cdc_row.{parentKey} >= cdc_left.low AND cdc_row.{parentKey} < cdc_left.high)) AS cdc_parent ON true
            GROUP BY 1, 2
            """;
    }

    /// <summary>In units of money, not cents; exact.</summary>
    private string Scaled(string from) =>
        string.Join(", ", Money.Select((c, i) => $"coalesce(sum({from}sum_{i}), 0) * {Unit(c.Scale!.Value)}"));

    private static string Unit(int scale) => scale == 0 ? "1" : "0." + new string('0', scale - 1) + "1";

    private static string Value(EntityDeclaration entity, string column, Func<EngineColumn, string> value) =>
        Column(entity, column) is { } c ? $"{value(c)}::bigint" : "NULL::bigint";

    private static EngineColumn? Column(EntityDeclaration entity, string name) => entity.Columns.FirstOrDefault(c => c.Name == name);
}
