namespace Cdc.Expressions;

/// <summary>What an integer of some bytes can hold.</summary>
internal readonly record struct IntegerRange(long Min, long Max)
{
    public static IntegerRange Of(int width) =>
        width switch
        {
            2 => new(short.MinValue, short.MaxValue),
            4 => new(int.MinValue, int.MaxValue),
            _ => new(long.MinValue, long.MaxValue),
        };

    public bool Contains(long value) => value >= Min && value <= Max;
}
