using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Declaration;
using Xunit;

namespace Cdc.Tests.Unit.Entities;

/// <summary>A declaration that is made of several files.</summary>
public sealed class IncludedFilesTests : IDisposable
{
    private const string Base = """
        { "entities": [
          { "name": "card",
            "source": { "table": "card", "key": "id", "columns": { "id": "int4", "code": "varchar", "points": "float8" } },
            "engine": { "table": "cards", "key": "id", "columns": [
              { "name": "code", "type": "text", "value": "code", "notNull": true },
              { "name": "points", "type": "numeric(18,2)", "value": "round(points::numeric, 2)" } ] },
            "rules": [ { "name": "negative", "check": "points >= 0", "message": "m", "warn": true } ] },
        ] }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdc-include-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void What_a_file_says_is_added_to_what_it_includes_and_replaces_what_has_the_same_name()
    {
        Write("base.json", Base);
        Write(
            "mid/mid.json",
            """{ "include": "../base.json", "entities": [ { "name": "card", "source": { "columns": { "active": "bool" } } } ] }"""
        );
        var set = Load(
            """
            { "include": ["mid/mid.json"], "entities": [
              { "name": "card", "source": { "columns": { "points": null } }, "rules": [ { "name": "negative", "remove": true } ],
                "engine": { "columns": [ { "name": "points", "remove": true }, { "name": "code", "value": "upper(code COLLATE \"C\")" },
                                         { "name": "active", "type": "boolean", "value": "active" } ] } },
              { "name": "other", "source": { "table": "other", "key": "id", "columns": { "id": "int4" } },
                "engine": { "table": "others", "key": "id", "columns": [ { "name": "other", "type": "bigint", "value": "id" } ] } } ] }
            """
        );
        Assert.Equal(["card", "other"], set.All.Select(e => e.Name));
        Assert.Equal(["id", "code", "active"], set[0].SourceColumns.Select(c => c.Name));
        Assert.Equal(
            [
                new EngineColumn("code", "text", "upper(code COLLATE \"C\")", NotNull: true),
                new EngineColumn("active", "boolean", "active", NotNull: false),
            ],
            set[0].Columns
        );
        Assert.Empty(set[0].Rules);
        Assert.Null(set.Preset);
    }

    [Fact]
    public void What_the_benchmark_measures_with_sums_is_the_delivered_declaration_with_a_sum()
    {
        var (delivered, sums) = (Delivered("schemas/entities.json"), Delivered("bench/sums.json"));
        Assert.Equal(delivered.All.Select(e => e.Name), sums.All.Select(e => e.Name));
        Assert.Equal(
            "public.card_points",
            Assert.Single(sums.All, e => e.Aggregate is not null).Aggregate!.Name.Replace("\"", "", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(delivered.All, e => e.Aggregate is not null);

        static EntitySet Delivered(string path) => EntityFile.Load(SourceTree.PathOf(path));
    }

    [Fact]
    public void Presets_with_tables_of_their_own_are_known_however_they_are_included()
    {
        Write("mid.json", """{ "include": ["odoo-18", "rewards"], "entities": [] }""");
        Assert.Equal(["rewards", "contacts"], Load("""{ "include": ["mid.json", "contacts", "contacts"], "entities": [] }""").Parts);
        Assert.Equal(["products"], EntityFile.Load("products").Parts);
        Assert.Empty(EntityFile.Load("odoo-20").Parts);
    }

    [Fact]
    public void Errors_name_the_file_in_which_they_stand()
    {
        Write("base.json", Base.Replace("float8", "flaot8", StringComparison.Ordinal));
        var errors = Errors(
            """{ "include": "base.json", "entities": [ { "name": "card", "engine": { "columns": [ { "name": "x", "type": "text", "value": "nothing" } ] } } ] }"""
        );
        Assert.Contains(
            errors,
            e => e.StartsWith("base.json line 3: card: the source column \"points\" has the unknown type", StringComparison.Ordinal)
        );
        Assert.Contains(
            errors,
            e => e.StartsWith("own.json line 1: card.x: there is no source column \"nothing\"", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("""{ "include": "own.json", "entities": [] }""", "own.json includes itself")]
    [InlineData("""{ "include": "missing.json", "entities": [] }""", "\"missing.json\" cannot be read")]
    [InlineData("""{ "include": "odoo-17x", "entities": [] }""", "Did you mean \"odoo-1")]
    [InlineData("""{ "include": 7, "entities": [] }""", "must be a preset's name or the path")]
    [InlineData(
        """{ "include": "base.json", "entities": [ { "name": "card", "rules": [ { "name": "gone", "remove": true } ] } ] }""",
        "no included \"gone\""
    )]
    [InlineData(
        """{ "include": "base.json", "entities": [ { "name": "card", "notify": "code", "notify": "code" } ] }""",
        "has \"notify\" twice"
    )]
    [InlineData("""{ "include": "base.json", "entities": [ { "name": "card" }, { "name": "card" } ] }""", "entity 2 has no \"source\"")]
    public void What_is_wrong_about_an_include_is_said(string text, string expected)
    {
        Write("base.json", Base);
        Assert.Contains(Errors(text), e => e.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Settings_choose_a_language_and_what_goes_to_quarantine()
    {
        Write("base.json", Base);
        const string Text = """
            { "include": "base.json", "entities": [ { "name": "card", "source": { "columns": { "name": "jsonb" } },
              "engine": { "columns": [ { "name": "name", "type": "text", "value": "name ->> '{language}'" } ] } } ] }
            """;
        var set = Load(Text, new DeclarationSettings { Language = "id_ID", Quarantine = ["negative"] });
        Assert.Equal("name ->> 'id_ID'", set[0].Columns[^1].Value);
        Assert.False(set[0].Rules.Single().Warn);
        Assert.True(Load(Text)[0].Rules.Single().Warn);
        var wrong = Assert.Throws<FindingsException>(() => Load(Text, new DeclarationSettings { Quarantine = ["negativ"] }));
        Assert.Contains("Did you mean \"negative\"?", Assert.Single(wrong.Findings).Remedy, StringComparison.Ordinal);
        Assert.All((string[])["", "e", "en'US", "en_US; DROP", new string('x', 40)], t => Assert.False(DeclarationSettings.IsLanguage(t)));
        Assert.All((string[])["en_US", "id_ID", "sr@latin", "zh_Hant_TW"], t => Assert.True(DeclarationSettings.IsLanguage(t)));
    }

    private EntitySet Load(string text, DeclarationSettings? settings = null) => EntityFile.Load(Write("own.json", text), settings);

    private string[] Errors(string text) =>
        [.. Assert.Throws<FindingsException>(() => Load(text)).Findings.Select(f => $"{f.Message} -> {f.Remedy}")];

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}
