using System.Text;
using Cdc.Log.Kafka;
using Xunit;

namespace Cdc.Tests.Unit.Log.Kafka;

public sealed class Murmur2Tests
{
    /// <summary>Vectors of Kafka's own test of its hash (UtilsTest.testMurmur2).</summary>
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void The_hash_is_that_of_Javas_producer(string key, int hash) =>
        Assert.Equal(hash, (int)Murmur2.Hash(Encoding.ASCII.GetBytes(key)));

    [Theory]
    [InlineData("21", 3)]
    [InlineData("foobar", 7)]
    public void The_partition_is_the_hash_without_its_sign(string key, int partitions)
    {
        var bytes = Encoding.ASCII.GetBytes(key);
        Assert.Equal((int)((Murmur2.Hash(bytes) & 0x7fffffff) % partitions), Murmur2.PartitionOf(bytes, partitions));
    }
}
