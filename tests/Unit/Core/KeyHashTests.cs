using System.Text;
using System.Text.Json;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit.Core;

/// <summary>Keys of any columns by a hash: different keys have different texts, and their numbers are no other key's.</summary>
public sealed class KeyHashTests
{
    private static readonly string[] Parts = ["", ",", "\\", "\\,", ",,", "a", "a,b", "b", "a\\", "ä", " "];

    [Fact]
    public void Numbers_are_those_of_no_other_key_and_are_read_as_they_are_shown()
    {
        var random = new Random(TestSeed.Draw());
        var numbers = Enumerable.Range(0, 2000).Select(_ => KeyHash.Number(Text($"{random.NextInt64()}"))).ToList();
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        Assert.All(numbers, n => Assert.True(KeyHash.Is(n) && !KeyPair.Is(n)));
        Assert.All(numbers, n => Assert.Equal(n, KeyText.Parse(KeyText.Of(n))));
        foreach (
            var other in (long[])
                [0, -1, long.MaxValue, long.MinValue, KeyPair.Number(0, 0)!.Value, KeyPair.Number(int.MaxValue, int.MaxValue)!.Value]
        )
            Assert.False(KeyHash.Is(other));
        Assert.True(KeyPair.Is(KeyPair.Number(0, 0)!.Value));
    }

    /// <summary>The engine keeps it: another one would be another row.</summary>
    [Fact]
    public void A_number_stays_what_it_is()
    {
        Assert.Equal(long.MinValue + 1 + (long)(0xBA7816BF8F01CFEAUL >> 3), KeyHash.Number(Text("abc")));
        Assert.Equal(0x414140DE, KeyHash.Check(Text("abc")));
    }

    [Theory]
    [InlineData("hash:", null)]
    [InlineData("hash:123", null)]
    [InlineData("hash:0000000000000000", "hash:0000000000000000")]
    [InlineData("hash:1fffffffffffffff", "hash:1fffffffffffffff")]
    [InlineData("hash:2000000000000000", null)]
    [InlineData("hash:ffffffffffffffff", null)]
    public void Only_what_a_hash_can_be_is_one(string text, string? again) =>
        Assert.Equal(again, KeyHash.Parse(text) is { } number ? KeyHash.Shown(number) : null);

    [Fact]
    public void Different_keys_have_different_texts_which_say_their_columns_again()
    {
        List<SourceColumn> columns = [new(0, "a", SourceType.Text), new(1, "b", SourceType.Text)];
        var spelling = new KeySpelling(columns);
        var texts = new HashSet<string>();
        foreach (var first in Parts)
        foreach (var second in Parts)
        {
            spelling.Begin();
            spelling.Add(Text(first), isText: false);
            spelling.Add(Text(second), isText: true);
            var spelled = spelling.End();
            Assert.True(texts.Add(Encoding.UTF8.GetString(spelled)), $"'{first}' and '{second}' are written as another key");
            Assert.Equal([first, second], KeySpelling.Parts(spelled, 2).Select(Encoding.UTF8.GetString));
        }
        Assert.Contains("a\\,b,b", texts);
    }

    [Fact]
    public void A_key_of_one_column_is_its_text_as_it_is()
    {
        var text = new KeySpelling([new(0, "a", SourceType.Text)]);
        text.Begin();
        text.Add(Text("a,b\\"), isText: false);
        Assert.Equal("a,b\\", Encoding.UTF8.GetString(text.End()));
        var other = new KeySpelling([new(0, "u", SourceType.Uuid), new(1, "i", SourceType.Integer)]);
        other.Begin();
        other.Add(new Guid("0123abcd-0000-4000-8000-0000000000ff").ToByteArray(bigEndian: true), isText: false);
        other.Add([0xFF, 0xFE], isText: false);
        Assert.Equal("0123abcd-0000-4000-8000-0000000000ff,-2", Encoding.UTF8.GetString(other.End()));
    }

    [Fact]
    public void Json_and_ranges_show_the_hash()
    {
        var number = KeyHash.Parse("hash:0123456789abcdef")!.Value;
        var options = new JsonSerializerOptions { Converters = { new KeyJsonConverter() } };
        Assert.Equal("""["hash:0123456789abcdef"]""", JsonSerializer.Serialize((long[])[number], options));
        Assert.Equal([number], JsonSerializer.Deserialize<long[]>("""["hash:0123456789abcdef"]""", options)!);
        Assert.Equal("[hash:0123456789abcdef..-)", new KeyRange(number, null).ToString());
    }

    [Theory]
    [InlineData("\"a\"", "a:int8")]
    [InlineData("[\"a\", \"b\"]", "a:int4 b:int2")]
    [InlineData("{ \"hash\": [\"a\", \"b\"] }", "a:int4 b:int8")]
    [InlineData("{ \"hash\": [\"a\"] }", "a:text")]
    [InlineData("{ \"hash\": [\"a\"] }", "a:varchar")]
    [InlineData("{ \"hash\": [\"a\"] }", "a:uuid")]
    [InlineData("{ \"hash\": [\"a\", \"b\", \"c\"] }", "a:int4 b:int4 c:int4")]
    [InlineData(null, "a:numeric")]
    [InlineData(null, "a:bpchar")]
    [InlineData(null, "a:int4 b:date")]
    [InlineData(null, "")]
    public void A_primary_key_is_declared_by_what_it_is_made_of(string? declared, string key) =>
        Assert.Equal(
            declared,
            KeyProposal.Of([.. key.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(c => (c.Split(':')[0], Oid(c.Split(':')[1])))])
        );

    private static uint Oid(string type) =>
        type switch
        {
            "int2" => TypeOids.Int2,
            "int4" => TypeOids.Int4,
            "int8" => TypeOids.Int8,
            "text" => TypeOids.Text,
            "varchar" => TypeOids.Varchar,
            "uuid" => TypeOids.Uuid,
            "date" => TypeOids.Date,
            "bpchar" => 1042,
            _ => TypeOids.Numeric,
        };

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
