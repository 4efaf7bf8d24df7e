using System.Text.Json;
using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit.Core;

/// <summary>Two columns in one number: each pair has one of its own, in the order of the pairs, and none is taken for a key of one column.</summary>
public sealed class KeyPairTests
{
    private static readonly long[] Ends = [0, 1, 2, 1000, int.MaxValue - 1, int.MaxValue];

    [Fact]
    public void Numbers_are_in_the_order_of_the_pairs_and_say_them_again()
    {
        var random = new Random(TestSeed.Draw());
        var pairs = Enumerable
            .Range(0, 2000)
            .Select(_ => (Draw(random), Draw(random)))
            .Concat(Ends.SelectMany(a => Ends.Select(b => (a, b))))
            .Distinct()
            .Order()
            .ToList();
        var numbers = pairs.ConvertAll(p => KeyPair.Number(p.Item1, p.Item2)!.Value);
        Assert.Equal(numbers.Distinct().Order(), numbers);
        Assert.Equal(pairs, numbers.Select(n => (KeyPair.First(n), KeyPair.Second(n))));
        Assert.All(numbers, n => Assert.True(KeyPair.Is(n) && n < EntityDeclaration.FirstEngineId));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    [InlineData(1L + int.MaxValue, 0)]
    [InlineData(0, 1L + int.MaxValue)]
    [InlineData(long.MinValue, 0)]
    public void What_has_no_31_bits_has_no_number(long first, long second) => Assert.Null(KeyPair.Number(first, second));

    /// <summary>A source's key of one column has a place behind a truncate: it lies between these.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(int.MinValue)]
    [InlineData(-EntityDeclaration.FirstEngineId)]
    [InlineData(EntityDeclaration.FirstEngineId)]
    [InlineData(long.MaxValue)]
    public void A_key_of_one_column_is_no_pair(long key)
    {
        Assert.False(KeyPair.Is(key));
        Assert.Equal(key, KeyText.Parse(KeyText.Of(key)));
    }

    [Theory]
    [InlineData("6,1", "6,1")]
    [InlineData("6, 1", "6,1")]
    [InlineData("0,0", "0,0")]
    [InlineData("2147483647,2147483647", "2147483647,2147483647")]
    [InlineData("-17", "-17")]
    [InlineData("6,", null)]
    [InlineData(",1", null)]
    [InlineData("6,1,2", null)]
    [InlineData("-6,1", null)]
    [InlineData("6;1", null)]
    [InlineData("", null)]
    public void Keys_are_written_as_they_are_read(string text, string? again)
    {
        var key = KeyText.Parse(text);
        Assert.Equal(again, key is null ? null : KeyText.Of(key.Value));
    }

    [Fact]
    public void Json_has_a_number_or_the_text_of_two()
    {
        var options = new JsonSerializerOptions { Converters = { new KeyJsonConverter() } };
        long[] keys = [17, KeyPair.Number(6, 1)!.Value];
        Assert.Equal("""[17,"6,1"]""", JsonSerializer.Serialize(keys, options));
        Assert.Equal(keys, JsonSerializer.Deserialize<long[]>("""[17,"6,1"]""", options));
        var lists = new JsonSerializerOptions { Converters = { new KeysJsonConverter() } };
        Assert.Equal("""[17,"6,1"]""", JsonSerializer.Serialize<IReadOnlyList<long>>(keys, lists));
        Assert.Equal(keys, JsonSerializer.Deserialize<IReadOnlyList<long>>("""[17,"6,1"]""", lists));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<long[]>("""["x"]""", options));
    }

    [Fact]
    public void A_range_is_shown_by_its_columns() => Assert.Equal("[6,0..-)", new KeyRange(KeyPair.Number(6, 0), null).ToString());

    private static long Draw(Random random) => random.Next(3) == 0 ? Ends[random.Next(Ends.Length)] : random.Next(2000);
}
