using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions;

/// <summary>What numeric(p,s) can hold: less than 10^(p-s) on both sides, and NaN.</summary>
internal static class NumericBound
{
    public static SqlNumeric Of(SqlType type) => new(SqlNumeric.PowerOfTen(type.Precision - type.Scale), 0);

    public static bool Holds(in SqlNumeric rounded, in SqlNumeric bound) =>
        rounded.Special == SqlNumeric.Kind.NaN
        || (SqlNumeric.Compare(rounded, bound) < 0 && SqlNumeric.Compare(rounded, bound.Negate()) > 0);
}
