namespace Cdc.Core.Entities;

/// <summary>
/// A key of two integer columns in one number: 31 bits for each, the first one above. Every pair has a number of its own, and the numbers are
/// in the order of the pairs. All lie below the keys of one column, and so far below <see cref="EntityDeclaration.FirstEngineId"/>: they are
/// the source's by the rule that holds for every key, and each number says which of the two it is. What it costs: neither column may be
/// negative, as no id of Odoo's is, nor wider than int4.
/// </summary>
public static class KeyPair
{
    private const int Bits = 31;

    /// <summary>From one first column's value to the next.</summary>
    public const long Step = 1L << Bits;

    /// <summary>What is taken off, so that the highest pair lies below the lowest key of one column, about -2^32.</summary>
    public const long Offset = (1L << (2 * Bits)) + 2 * EntityDeclaration.FirstEngineId;

    private const long Mask = Step - 1;

    /// <summary>Null: one of them is negative, or wider than 31 bits; the pair has no number.</summary>
    public static long? Number(long first, long second) =>
        (ulong)first <= Mask && (ulong)second <= Mask ? ((first << Bits) | second) - Offset : null;

    /// <summary>The number stands for two columns.</summary>
    public static bool Is(long number) => number is < -EntityDeclaration.FirstEngineId and >= -Offset;

    public static long First(long number) => (number + Offset) >> Bits;

    public static long Second(long number) => (number + Offset) & Mask;

    /// <summary>The same in SQL, of a bigint; bounds beyond the pairs on either side stay beyond them.</summary>
    public static string FirstSql(string number) => $"({number} + {Offset}) >> {Bits}";

    /// <inheritdoc cref="FirstSql"/>
    public static string SecondSql(string number) => $"({number} + {Offset}) & {Mask}";
}
