using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions;
using Cdc.Expressions.Declaration;
using Xunit;

namespace Cdc.Tests.Unit.Entities;

public sealed class EntityFileTests
{
    private static string[] Errors(string text)
    {
        var failure = Assert.Throws<FindingsException>(() => EntityFile.Parse(text, "some/folder/entities.json"));
        Assert.Equal(FailureKind.Configuration, failure.Kind);
        Assert.All(failure.Findings, f => Assert.NotEmpty(f.Remedy));
        return [.. failure.Findings.Select(f => $"{f.Message} -> {f.Remedy}")];
    }

    private static string Entity(
        string name = "card",
        string key = "id",
        string columns = """{ "name": "code", "type": "text", "value": "code" }""",
        string rest = "",
        string engine = "cards"
    ) =>
        $$"""
            {
              "name": "{{name}}",
              "source": { "table": "card", "key": "{{key}}", "columns": { "id": "int4", "code": "varchar", "points": "float8", "at": "timestamp", "name": "jsonb", "any": "number", "old": "json" } },
              "engine": { "table": "{{engine}}", "key": "id", "columns": [
                {{columns}}
              ] },
              {{rest}}
            },
            """;

    private static string File(params string[] entities) => $"{{ \"entities\": [\n{string.Concat(entities)}\n] }}";

    [Fact]
    public void Comments_and_trailing_commas_are_allowed()
    {
        var set = EntityFile.Parse("// why\n" + File(Entity()), "x");
        Assert.Equal(("public", "cards"), (set[0].EngineSchema, set[0].EngineTable));
    }

    [Fact]
    public void Every_error_is_reported_at_once_with_its_line_and_remedy()
    {
        var errors = Errors(
            """
            {
              "entities": [
                {
                  "name": "card",
                  "source": { "table": "card", "key": "code", "columns": {
                    "id": "int4",
                    "code": "varchar",
                    "points": "flaot",
                    "code": "text" } },
                  "engine": { "tabel": "x", "table": "cards", "columns": [
                    { "name": "a", "type": "bigint", "value": "code" },
                    { "name": "b", "type": "text", "value": "upper(code)" },
                    { "name": "c", "type": "text", "value": "uper(code)" },
                    { "name": "d", "type": "text", "value": "kode" },
                    { "name": "e", "type": "money", "value": "id" },
                    { "name": "a", "type": "bigint", "value": "id +" },
                    { "name": "source_lsn", "type": "bigint", "value": "id" },
                  ] },
                  "rules": [ { "name": "r", "check": "code", "message": "m", "wran": true } ],
                  "parents": { "f": "nobody" },
                },
              ],
            }
            """
        );
        Assert.Equal(
            [
                "entities.json line 5: card: the key \"code\" is Text. -> A key is of integers: one column, or two. One with texts or uuids, or of more columns, is known by a hash: \"key\": { \"hash\": [\"code\"] } (docs/declaration.md).",
                "entities.json line 8: card: the source column \"points\" has the unknown type \"flaot\". -> Did you mean \"float\"? Known are: integer, float, numeric, text, boolean, timestamp, timestamptz, date, uuid, json, jsonb, bytea, number. PostgreSQL's own names (int4, float8, varchar, ...) are understood.",
                "entities.json line 9: card: the source column \"code\" is declared twice. -> Keep one of them.",
                "entities.json line 10: card.engine has an unknown property \"tabel\". -> Did you mean \"table\"? Known are: table, key, columns.",
                "entities.json line 11: card.a: the expression is text, the column is bigint, at character 1 of: code -> Cast the expression, or change the column's type.",
                "entities.json line 12: card.b: upper differs between collations, at character 1 of: upper(code) -> Say which: upper(... COLLATE \"C\").",
                "entities.json line 13: card.c: the function uper is not supported, at character 1 of: uper(code) -> Did you mean \"upper\"? Supported are: upper, lower, btrim, ltrim, rtrim, length, round, abs, coalesce, nullif, greatest, least. Signatures: upper(text), lower(text), btrim(text[, characters]), ltrim, rtrim, length(text), round(numeric[, digits]), abs(number), coalesce(...), nullif(a, b), greatest(...), least(...).",
                "entities.json line 14: card.d: there is no source column \"kode\", at character 1 of: kode -> Did you mean \"code\"? Declare it under source.columns, or use one of: id, code, points.",
                "entities.json line 15: card.e: the engine type \"money\" is not supported. -> Supported: smallint, integer, bigint, double precision, numeric, numeric(p,s), text, varchar, varchar(n), boolean, timestamp, timestamptz, date, jsonb (and PostgreSQL's aliases int2, int4, int8, float8, bool, ...).",
                "entities.json line 16: card: the engine column \"a\" is declared twice. -> Keep one of them.",
                "entities.json line 16: card.a: the end stands where a value was expected, at character 5 of: id + -> Supported: = <> < <= > >=, + - *, jsonb -> 'key', jsonb ->> 'key', ::type, AND, OR, NOT, IS [NOT] NULL, IS [NOT] DISTINCT FROM, [NOT] IN (literals), CASE WHEN ... THEN ... ELSE ... END, AT TIME ZONE 'UTC', COLLATE \"C\"; functions: upper(text), lower(text), btrim(text[, characters]), ltrim, rtrim, length(text), round(numeric[, digits]), abs(number), coalesce(...), nullif(a, b), greatest(...), least(...).",
                "entities.json line 17: card: \"source_lsn\" is written by the pipeline itself. -> Choose another name, or leave it out.",
                "entities.json line 19: card.rules has an unknown property \"wran\". -> Did you mean \"warn\"? Known are: name, check, message, warn.",
                "entities.json line 19: card: rule r: boolean is needed, this is text, at character 1 of: code -> Cast it: ::boolean.",
                "entities.json line 20: card: the parent column \"f\" is not an engine column. -> Use one of: a, b, c, d, e, a, source_lsn.",
                "entities.json line 20: card: the parent \"nobody\" is not an entity. -> Use one of: card.",
            ],
            errors
        );
    }

    [Theory]
    [InlineData("{ \"entities\": [ }", "line 1: not JSON")]
    [InlineData("{\n \"entities\": [\n  { \"name\": \"a\" \"b\" }\n] }", "line 3: not JSON")]
    [InlineData(
        "",
        "line 1: not JSON: The input does not contain any JSON tokens. Expected the input to start with a valid JSON token -> "
    )]
    [InlineData(
        "// later",
        "line 1: not JSON: The input does not contain any JSON tokens. Expected the input to start with a valid JSON token -> "
    )]
    [InlineData("{}", "has no \"entities\"")]
    [InlineData("[]", "must be an object")]
    [InlineData("{ \"entities\": [] }", "no entity is declared")]
    [InlineData("{ \"entities\": [ 3 ] }", "must be an object")]
    [InlineData("{ \"entities\": [ { \"name\": \"a\" } ] }", "has no \"source\"")]
    [InlineData("{ \"entities\": [ { \"name\": 7, \"source\": {}, \"engine\": {} } ] }", "\"name\" must be a text")]
    public void What_is_no_declaration_says_where(string text, string expected)
    {
        Assert.Contains(Errors(text), e => e.Contains(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("round(points, 2)", "no such round")]
    [InlineData("btrim(code, E'\\\\v')", "means different things in different versions")]
    [InlineData("code < 'a'", "order of texts differs")]
    [InlineData("coalesce(points, 0.1)", "may be float4 or float8")]
    [InlineData("code || 'a'", "is not supported")]
    [InlineData("at < '2026-13-01'", "is not a value of timestamp")]
    [InlineData("at AT TIME ZONE 'Europe/Berlin'", "is not supported")]
    [InlineData("code COLLATE \\\"de_DE\\\"", "is not supported")]
    [InlineData("id = 'x'", "is not a value of")]
    [InlineData("id IN (id)", "IN takes literals only")]
    [InlineData("id = 1 = 2", "stands where")]
    [InlineData("'1e99'::numeric(5,2)", "is not a value of numeric(5,2)")]
    [InlineData("1000::numeric(5,3)", "this constant has no value")]
    [InlineData("code::varchar(3)", "cuts longer texts off")]
    [InlineData("at = id", "cannot be compared")]
    [InlineData("(id", "')' was expected")]
    [InlineData("'abc", "does not end")]
    [InlineData("points::float4", "is not supported")]
    [InlineData("id--1", "begins a comment")]
    [InlineData("id /* 1 */", "begins a comment")]
    [InlineData("id / 2", "'/' is not supported")]
    [InlineData("'1' + '2'", "PostgreSQL cannot tell which + is meant")]
    [InlineData("at + 1", "+ is for numbers, this is timestamp")]
    [InlineData("name - 'en_US'", "- is for numbers, this is jsonb")]
    [InlineData("2147483647 + 1", "this constant has no value")]
    [InlineData("name", "the expression is jsonb, the column is text")]
    [InlineData("name ->> 0", "must be a text")]
    [InlineData("code ->> 'en_US'", "takes something out of jsonb, this is text")]
    [InlineData("(name -> 'n')::numeric", "different versions of PostgreSQL")]
    [InlineData("name < '{}'", "compared by = and <> only")]
    [InlineData("greatest(name, '{}')", "compared by = and <> only")]
    [InlineData("greatest(code, 'a')", "order of texts differs")]
    [InlineData("upper(name)", "a text is needed, this is jsonb")]
    [InlineData("name = '{a}'", "is not a value of jsonb")]
    [InlineData("code::date", "a cast from text to date is not supported")]
    [InlineData("old ->> 'en_US'", "is uuid, json or bytea")]
    [InlineData("any", "the expression is a column of any number type")]
    [InlineData("any = 0", "may have any type of numbers")]
    [InlineData("coalesce(any, 0)", "may have any type of numbers")]
    [InlineData("any IN ('NaN')", "may have any type of numbers")]
    [InlineData("any + 1", "+ is for numbers, this is a column of any number type")]
    [InlineData("round(any, 2)", "no such round")]
    [InlineData("any::float8", "is cast to numeric only")]
    [InlineData("points < 1e400", "out of range for double precision")]
    public void An_expression_that_PostgreSQL_or_another_source_would_read_differently_is_refused(string expression, string expected)
    {
        var errors = Errors(File(Entity(columns: $$"""{ "name": "x", "type": "text", "value": "{{expression}}" }""")));
        Assert.Contains(expected.Replace("')'", ")", StringComparison.Ordinal), Assert.Single(errors), StringComparison.Ordinal);
        Assert.Contains("line 6", errors[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Two_entities_of_one_name_or_on_one_engine_table_are_refused()
    {
        Assert.Contains(
            "two entities are called \"card\"",
            Errors(File(Entity(), Entity(engine: "other"))).Single(),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "two entities feed the engine table \"public.cards\"",
            Errors(File(Entity(), Entity("other"))).Single(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Parents_in_a_circle_are_refused_once()
    {
        const string column = """{ "name": "up", "type": "bigint", "value": "id" }""";
        var errors = Errors(
            File(
                Entity("a", columns: column, rest: """ "parents": { "up": "b" } """, engine: "a"),
                Entity("b", columns: column, rest: """ "parents": { "up": "c" } """, engine: "b"),
                Entity("c", columns: column, rest: """ "parents": { "up": "a" } """, engine: "c")
            )
        );
        Assert.Contains("the parents go in a circle: a -> b -> c -> a", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"serves\": { \"role\": \"crad\" }", "nothing is served as \"crad\". -> Did you mean \"card\"?")]
    [InlineData(
        "\"serves\": { \"role\": \"card\", \"points\": \"kode\" }",
        "\"points\" names \"kode\", which is not an engine column. -> Did you mean \"code\"?"
    )]
    [InlineData("\"serves\": { \"role\": \"card\", \"pionts\": \"code\" }", "unknown property \"pionts\". -> Did you mean \"points\"?")]
    [InlineData(
        "\"aggregate\": { \"table\": \"t\", \"by\": \"code\", \"sum\": \"code\" }",
        "\"by\" names \"code\", which is not an engine column of integer"
    )]
    [InlineData("\"aggregate\": { \"table\": \"t\" }", "card.aggregate has no \"sum\"")]
    public void What_an_entity_serves_as_and_sums_up_names_columns_that_it_has(string rest, string expected) =>
        Assert.Contains(Errors(File(Entity(rest: rest))), e => e.Contains(expected, StringComparison.Ordinal));

    [Fact]
    public void Two_entities_that_serve_as_one_role_are_refused() =>
        Assert.Contains(
            Errors(File(Entity(), Entity("other", engine: "others", rest: "\"serves\": { \"role\": \"card\" }"))),
            e => e.Contains("card and other both serve as card", StringComparison.Ordinal)
        );

    [Fact]
    public void A_parent_column_must_be_bigint()
    {
        var errors = Errors(
            File(
                Entity(columns: """{ "name": "up", "type": "integer", "value": "id" }""", rest: """ "parents": { "up": "b" } """),
                Entity("b", engine: "b")
            )
        );
        Assert.Contains("the parent column \"up\" is integer", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void More_rules_than_a_verdict_can_name_are_refused()
    {
        var columns = string.Join(
            ", ",
            Enumerable.Range(0, 33).Select(i => $$"""{ "name": "c{{i}}", "type": "varchar(9)", "value": "code", "notNull": true }""")
        );
        Assert.Contains("card has 66 rules", Assert.Single(Errors(File(Entity(columns: columns)))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_configuration_error()
    {
        var failure = Assert.Throws<FindingsException>(() => EntityFile.Load("/nowhere/entities.json"));
        Assert.Equal(FailureKind.Configuration, failure.Kind);
    }
}
