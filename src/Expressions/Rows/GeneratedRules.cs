using System.Numerics;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Expressions.Rows;

/// <summary>Rules that follow from the engine's column types, so that what the engine would refuse has a name before it is sent there.</summary>
internal static class GeneratedRules
{
    public static IEnumerable<RowRule> Of(EntityDeclaration entity) => entity.Columns.SelectMany(c => Of(c, entity.SourceColumns));

    private static IEnumerable<RowRule> Of(EngineColumn column, IReadOnlyList<SourceColumn> sources)
    {
        var type = SqlTypeName.Parse(column.Type)!.Value;
        var value = ExpressionCompiler.Value(column.Value, sources, type);
        // The first rule that is broken is the reason: what cannot be computed breaks the others, too.
        if (value.CanFail)
            yield return Rule(column, "not-computable", $"({column.Value}) IS NULL OR ({column.Value}) IS NOT NULL", "cannot be computed");
        if (column.NotNull)
            yield return Rule(column, "null", $"({column.Value}) IS NOT NULL", "has no value, and the engine needs one");
        if (type is { Family: SqlFamily.Numeric, Precision: > 0 })
            yield return Rule(
                column,
                "too-large",
                $"abs(round(({column.Value})::numeric, {type.Scale})) < {BigInteger.Pow(10, type.Precision - type.Scale)}",
                $"does not fit in {type}"
            );
        if (type is { Family: SqlFamily.Text, Precision: > 0 })
            yield return Rule(
                column,
                "too-long",
                $"length({column.Value}) <= {type.Precision}",
                $"is longer than the engine's {type.Precision} characters"
            );
        if (type.Family == SqlFamily.Integer && MayExceed(value.Type.Width, type.Width))
            yield return Rule(column, "out-of-range", Range(column, IntegerRange.Of(type.Width)), $"does not fit in {type}");
    }

    /// <summary>An integer of unknown width may be a bigint.</summary>
    private static bool MayExceed(int width, int engineWidth) => engineWidth < 8 && (width == 0 || width > engineWidth);

    private static string Range(EngineColumn column, IntegerRange range) =>
        $"({column.Value}) >= {range.Min} AND ({column.Value}) <= {range.Max}";

    private static RowRule Rule(EngineColumn column, string what, string check, string message) =>
        new($"{column.Name.Replace('_', '-')}-{what}", check, $"{column.Name} {message}", Warn: false);
}
