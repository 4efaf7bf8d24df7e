using System.Buffers.Binary;

namespace Cdc.Log.Kafka;

/// <summary>
/// The hash by which Java's producer chooses a key's partition, so that other writers and joins by key find the same one.
/// </summary>
public static class Murmur2
{
    private const uint Seed = 0x9747b28c;
    private const uint M = 0x5bd1e995;
    private const int R = 24;

    /// <returns>0 to <paramref name="partitions"/> - 1.</returns>
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => (int)(Hash(key) & 0x7fffffff) % partitions;

    public static uint Hash(ReadOnlySpan<byte> data)
    {
        var hash = Seed ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(data) * M;
            hash = (hash * M) ^ ((k ^ (k >> R)) * M);
            data = data[4..];
        }
        for (var i = data.Length - 1; i >= 0; i--)
            hash ^= (uint)data[i] << (8 * i);
        if (data.Length > 0)
            hash *= M;
        hash = (hash ^ (hash >> 13)) * M;
        return hash ^ (hash >> 15);
    }
}
