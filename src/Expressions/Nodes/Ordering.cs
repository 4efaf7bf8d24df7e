using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Nodes;

/// <summary>PostgreSQL's order of a type's values.</summary>
internal interface IOrdering<T>
    where T : allows ref struct
{
    static abstract int Compare(T a, T b);
}

internal readonly struct IntegerOrdering : IOrdering<long>
{
    public static int Compare(long a, long b) => a.CompareTo(b);
}

internal readonly struct BooleanOrdering : IOrdering<bool>
{
    public static int Compare(bool a, bool b) => a.CompareTo(b);
}

/// <summary>NaN equals NaN and is greater than everything (.NET's own order has it as the least); -0 equals 0.</summary>
internal readonly struct FloatOrdering : IOrdering<double>
{
    public static int Compare(double a, double b)
    {
        if (a < b)
            return -1;
        if (a > b)
            return 1;
        return a == b ? 0 : double.IsNaN(a).CompareTo(double.IsNaN(b));
    }
}

internal readonly struct NumericOrdering : IOrdering<SqlNumeric>
{
    public static int Compare(SqlNumeric a, SqlNumeric b) => SqlNumeric.Compare(a, b);
}

/// <summary>jsonb's operator =. Not an order: what differs is 1.</summary>
internal readonly struct JsonbEquality : IOrdering<ReadOnlySpan<byte>>
{
    public static int Compare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => JsonbText.AreEqual(a, b) ? 0 : 1;
}

/// <summary>Collation "C": by bytes.</summary>
internal readonly struct TextOrdering : IOrdering<ReadOnlySpan<byte>>
{
    public static int Compare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => a.SequenceCompareTo(b);
}
