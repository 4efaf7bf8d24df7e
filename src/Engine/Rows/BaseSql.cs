using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Engine.Rows;

/// <summary>
/// The base of a row, as SQL: for each column in which the engine has another value than Odoo, the one that Odoo last had, as JSON (of jsonb
/// its text). NULL where nothing differs; JSON null where Odoo has no such row any more.
/// </summary>
public static class BaseSql
{
    /// <summary>JSON null: Odoo has deleted the row.</summary>
    internal const string Gone = "'null'::jsonb";

    /// <summary>
    /// The rows as Odoo has them, to be read FROM: what the engine changed of its own accord is not in them. Of an entity that does not flow
    /// back to Odoo the table itself. What was born in the engine has Odoo's ids.
    /// </summary>
    public static string OdoosRows(EntityDeclaration entity, EntitySet? entities)
    {
        if (entity.Reverse is null)
            return entity.EngineName;
        var key = Sql.Identifier(entity.EngineKey);
        var born = entities is null ? null : NewbornSql.Of(entity, entities);
        var columns = entity.Columns.Select(c => $"{born?.OdoosParent(c, "b") ?? OdooValue(c, "b")} AS {Sql.Identifier(c.Name)}").ToList();
        string Rows(string id, string which) =>
            $"SELECT {id} AS {key}, {string.Join(", ", columns)} FROM {entity.EngineName} b WHERE b.base IS DISTINCT FROM {Gone}{which}";
        return born?.OdooId is null
            ? $"({Rows($"b.{key}", "")})"
            : $"({Rows($"b.{key}", $" AND b.{key} < {EntityDeclaration.FirstEngineId}")} UNION ALL "
                + $"{Rows($"b.{born.OdooId}::bigint", $" AND b.{key} >= {EntityDeclaration.FirstEngineId} AND b.{born.OdooId} IS NOT NULL")})";
    }

    /// <summary>What Odoo last had.</summary>
    /// <param name="row">Alias of the engine's row.</param>
    internal static string OdooValue(EngineColumn column, string row) =>
        $"CASE WHEN {Has(column, row)} THEN {Of(column, row)} ELSE {row}.{Sql.Identifier(column.Name)} END";

    internal static string Has(EngineColumn column, string row) => $"{row}.base ? {Sql.Literal(column.Name)}";

    /// <summary>Where the base has it.</summary>
    internal static string Of(EngineColumn column, string row) => $"({row}.base ->> {Sql.Literal(column.Name)})::{column.Type}";

    /// <summary>A value as the base keeps it. JSON's null and a row without the column are two things: so jsonb is kept as text.</summary>
    internal static string Json(EngineColumn column, string value) =>
        SqlTypeName.Parse(column.Type)?.Family == SqlFamily.Jsonb ? $"({value})::text" : value;

    /// <summary>The declared columns, but not those by which Odoo's row says what it has: they are no values of the row's.</summary>
    internal static IEnumerable<EngineColumn> Kept(EntityDeclaration entity) =>
        entity.Columns.Where(c => c.Name is not (ReverseDeclaration.OdooNumberColumn or ReverseDeclaration.OdooRefColumn));

    /// <summary>These as one JSON object, in the base's form.</summary>
    internal static string Row(EntityDeclaration entity, string row) =>
        // A function takes 100 arguments.
        string.Join(
            " || ",
            Kept(entity)
                .Chunk(40)
                .Select(some =>
                    $"jsonb_build_object({string.Join(", ", some.Select(c => $"{Sql.Literal(c.Name)}, {Json(c, $"{row}.{Sql.Identifier(c.Name)}")}"))})"
                )
        );
}
