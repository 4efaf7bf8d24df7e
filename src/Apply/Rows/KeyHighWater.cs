namespace Cdc.Apply.Rows;

/// <summary>The highest key the engine may have, per entity. New keys above it are copied in without a check.</summary>
internal sealed class KeyHighWater(int entities)
{
    private readonly long[] _highest = [.. Enumerable.Repeat(long.MinValue, entities)];

    public long Of(int entity) => Interlocked.Read(ref _highest[entity]);

    public void Raise(int entity, long key)
    {
        var seen = Interlocked.Read(ref _highest[entity]);
        while (key > seen)
        {
            var before = Interlocked.CompareExchange(ref _highest[entity], key, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
