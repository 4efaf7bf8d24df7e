namespace Cdc.Workload.Plan;

/// <summary>SplitMix64: the same numbers for the same seed on every machine and in every version of .NET.</summary>
internal struct Dice(ulong seed)
{
    private ulong _state = seed;

    public static Dice For(int seed, int stream) => new(((ulong)(uint)seed << 32) | (uint)stream);

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>From 0 to below <paramref name="bound"/>.</summary>
    public int Below(int bound) => (int)(Next() % (ulong)bound);

    /// <summary>True in one of so many cases.</summary>
    public bool OneIn(int cases) => Below(cases) == 0;
}
