using System.Globalization;
using System.Text.RegularExpressions;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;

namespace Cdc.Testing.Equality;

/// <summary>
/// The queries whose answers must be equal. The source computes the declaration's own expressions; every value is compared as PostgreSQL's
/// text of the engine's type, which loses nothing.
/// </summary>
internal static partial class EqualitySql
{
    /// <summary>Makes both servers write values alike.</summary>
    public const string Session =
        "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = 1; SET bytea_output "
        + "= 'hex'";

    // Rows born in the engine have ids from here on.
    private const string BornInOdoo = "< 4294967296";

    /// <summary>
    /// Key, whether a rule is broken, then the declared columns. Fails with a data exception when an expression cannot be computed for some
    /// row.
    /// </summary>
    public static string Source(EntityDeclaration entity, KeyRange range) =>
        $"""
            SELECT {entity.SourceKey.Number()}::bigint, cdc_broken, {List(
                entity.Columns.Select(c => $"CASE WHEN NOT cdc_broken THEN {Typed(c)} END")
            )}
            FROM (SELECT cdc_row.*, {Broken(entity)} AS cdc_broken FROM {entity.SourceRows} AS cdc_row WHERE {InRange(
                entity.SourceKey.Number(),
                range
            )}) AS cdc_rows
            ORDER BY 1
            """;

    /// <summary>
    /// For <see cref="SourceRowByRow"/>: a function that answers NULL for a row that breaks a rule or cannot be computed.
    /// </summary>
    public static string RowFunction(EntityDeclaration entity) =>
        $"""
            CREATE OR REPLACE FUNCTION pg_temp.cdc_expected(cdc_row {entity.SourceName}) RETURNS text[] LANGUAGE plpgsql STABLE AS $function$
            BEGIN
                IF (SELECT {Broken(entity)} FROM (SELECT cdc_row.*) AS cdc_one) THEN RETURN NULL; END IF;
                RETURN (SELECT ARRAY[{List(entity.Columns.Select(Typed))}]::text[] FROM (SELECT cdc_row.*) AS cdc_one);
            EXCEPTION WHEN data_exception THEN
                RETURN NULL;
            END
            $function$
            """;

    /// <summary>The same answer as <see cref="Source"/>, slower, and for any row.</summary>
    public static string SourceRowByRow(EntityDeclaration entity, KeyRange range) =>
        $"""
            SELECT {entity.SourceKey.Number()}::bigint, cdc_values IS NULL, {List(
                entity.Columns.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"cdc_values[{i + 1}]"))
            )}
            FROM (SELECT cdc_row.*, pg_temp.cdc_expected(cdc_row) AS cdc_values FROM {entity.SourceRows} AS cdc_row WHERE {InRange(
                entity.SourceKey.Number(),
                range
            )}) AS cdc_rows
            ORDER BY 1
            """;

    public static string Engine(EntityDeclaration entity, KeyRange range) =>
        $"""
            SELECT {Sql.Identifier(entity.EngineKey)}::bigint, false, {List(entity.Columns.Select(c => $"{Sql.Identifier(c.Name)}::text"))}
            FROM {entity.EngineName} WHERE {InRange(Sql.Identifier(entity.EngineKey), range)} AND {Sql.Identifier(
                entity.EngineKey
            )} {BornInOdoo}
            ORDER BY 1
            """;

    public static string Quarantine(EntityDeclaration entity, KeyRange range) =>
        $"SELECT key FROM cdc.quarantine WHERE entity = {Sql.Literal(entity.Name)} AND {InRange("key", range)}";

    private static string Typed(EngineColumn column) => $"CAST(({column.Value}) AS {column.Type})::text";

    private static string Broken(EntityDeclaration entity)
    {
        // As in a CHECK constraint, NULL passes.
        var rules = entity.Rules.Where(r => !r.Warn).Select(r => $"({r.Check}) IS FALSE");
        // A cast to varchar(n) cuts silently where an INSERT refuses.
        var lengths = entity
            .Columns.Where(c => LengthOf(c) is not null)
            .Select(c => $"coalesce(length(({c.Value})::text) > {LengthOf(c)}, false)");
        return string.Join(" OR ", rules.Concat(lengths).DefaultIfEmpty("false"));
    }

    private static string? LengthOf(EngineColumn column) =>
        LimitedText().Match(column.Type) is { Success: true } match ? match.Groups[1].Value : null;

    private static string InRange(string key, KeyRange range)
    {
        var from = range.From is { } low ? string.Create(CultureInfo.InvariantCulture, $"{key} >= {low}") : "true";
        return range.To is { } high ? string.Create(CultureInfo.InvariantCulture, $"{from} AND {key} < {high}") : from;
    }

    private static string List(IEnumerable<string> items) => string.Join(", ", items);

    [GeneratedRegex(@"^(?:varchar|character varying|char|character)\s*\(\s*(\d+)\s*\)$", RegexOptions.IgnoreCase)]
    private static partial Regex LimitedText();
}
