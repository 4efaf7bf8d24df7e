using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Declaration;
using Xunit;

namespace Cdc.Tests.Unit.Entities;

/// <summary>A key of one column or of two, and what is none.</summary>
public sealed class KeyDeclarationTests
{
    private static string Entity(string key, string rest = "", string name = "till", string engine = "tills") =>
        $$"""
            { "name": "{{name}}",
              "source": { "table": "rel", "key": {{key}}, "columns": { "a": "int4", "b": "int4", "code": "text", "uid": "uuid", "day": "date" } },
              "engine": { "table": "{{engine}}", "columns": [{ "name": "x", "type": "bigint", "value": "a" }] }{{rest}} },
            """;

    private static EntitySet Parse(params string[] entities) =>
        EntityFile.Parse($"{{ \"entities\": [\n{string.Concat(entities)}\n] }}", "own.json");

    [Fact]
    public void A_key_of_two_columns_is_in_the_order_that_is_written()
    {
        var entity = Parse(Entity("""["b", "a"]"""))[0];
        Assert.Equal(["b", "a"], entity.KeyColumns.Select(c => c.Name));
        Assert.Equal(("b, a", "id"), (entity.SourceKey.Shown, entity.EngineKey));
        Assert.Null(Parse(Entity("\"a\""))[0].SecondKey);
    }

    [Theory]
    [InlineData("""["a"]""", "a key is one column, or two different ones")]
    [InlineData("""["a", "b", "code"]""", "a key is one column, or two different ones")]
    [InlineData("""["a", "a"]""", "a key is one column, or two different ones")]
    [InlineData("""["a", 7]""", "a key is one column, or two different ones")]
    [InlineData("[]", "a key is one column, or two different ones")]
    [InlineData("""["a", "c"]""", "the key \"c\" is not a source column")]
    [InlineData("""["a", "code"]""", "the key \"code\" is Text")]
    [InlineData("\"code\"", "the key \"code\" is Text")]
    [InlineData("\"uid\"", "the key \"uid\" is Uuid")]
    public void What_is_no_key_is_refused_by_name(string key, string said) => Refuses(said, Entity(key));

    [Fact]
    public void A_key_that_is_known_by_a_hash_is_of_any_columns_whose_text_is_all_of_them()
    {
        var entity = Parse(Entity("""{ "hash": ["uid", "a", "code"] }"""))[0];
        Assert.Equal(["uid", "a", "code"], entity.KeyColumns.Select(c => c.Name));
        Assert.True(entity.SourceKey is { IsHashed: true, IsPair: false } && !entity.HasId);
        Assert.True(Parse(Entity("""{ "hash": ["a", "b"] }"""))[0].SourceKey is { IsHashed: true, IsPair: false });
        Assert.Equal("uid, a, code", entity.SourceKey.Shown);
    }

    [Theory]
    [InlineData("""{ "hash": [] }""", "is an array of different columns")]
    [InlineData("""{ "hash": "a" }""", "is an array of different columns")]
    [InlineData("""{ "hash": ["a", 7] }""", "is an array of different columns")]
    [InlineData("""{ "hash": ["a", "a"] }""", "is an array of different columns")]
    [InlineData("""{ "hsah": ["a"] }""", "is an array of different columns")]
    [InlineData("""{ "hash": ["c"] }""", "the key \"c\" is not a source column")]
    [InlineData("""{ "hash": ["a", "day"] }""", "the key \"day\" is Date")]
    public void What_is_no_key_by_a_hash_is_refused_by_name(string key, string said) => Refuses(said, Entity(key));

    [Fact]
    public void What_needs_one_id_is_refused_of_a_hash()
    {
        const string Hashed = """{ "hash": ["code"] }""";
        Refuses("has a key that is known by a hash and \"serves\"", Entity(Hashed, ", \"serves\": { \"role\": \"move\" }"));
        Refuses(
            "till and other read one table by different keys",
            Entity("""["a", "b"]"""),
            Entity("""{ "hash": ["a", "b"] }""", "", "other", "others")
        );
    }

    [Theory]
    [InlineData("\"a\"", true)]
    [InlineData("""["a", "b"]""", false)]
    [InlineData("""{ "hash": ["code"] }""", false)]
    public void Only_an_entity_with_an_id_has_a_part_in_answers_by_its_name(string key, bool serves) =>
        Assert.Equal(serves, Parse(Entity(key, "", "history")).All[0].Serves is not null);

    [Fact]
    public void What_needs_one_id_is_refused_of_two_columns()
    {
        const string Pair = """["a", "b"]""";
        Refuses("has a key of two columns and \"serves\"", Entity(Pair, ", \"serves\": { \"role\": \"move\" }"));
        Refuses(
            "the parent \"till\" has a key of two columns",
            Entity(Pair),
            Entity("\"a\"", ", \"parents\": { \"x\": \"till\" }", "other", "others")
                .Replace("\"rel\"", "\"other\"", StringComparison.Ordinal)
        );
        Refuses("till and other read one table by different keys", Entity(Pair), Entity("""["b", "a"]""", "", "other", "others"));
    }

    private static void Refuses(string said, params string[] entities)
    {
        var failure = Assert.Throws<FindingsException>(() => Parse(entities));
        Assert.Equal(FailureKind.Configuration, failure.Kind);
        var finding = Assert.Single(failure.Findings);
        Assert.Contains(said, finding.Message, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Remedy);
    }
}
