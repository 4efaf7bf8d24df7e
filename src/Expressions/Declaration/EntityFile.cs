using System.Text.Json;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Rows;

namespace Cdc.Expressions.Declaration;

/// <summary>The entities declaration: JSON with comments and trailing commas.</summary>
public static class EntityFile
{
    /// <exception cref="FindingsException">The file cannot be read, or is wrong: every error at once, each with its line and remedy.</exception>
    public static EntitySet Load(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new FindingsException(
                FailureKind.Configuration,
                $"The entities declaration {path} cannot be read.",
                [
                    new Finding(
                        "declaration-file",
                        IsError: true,
                        failure.Message,
                        "Set Entities to the path of the entities declaration, and let this user read it."
                    ),
                ]
            );
        }
    }

    /// <param name="name">How messages name the file.</param>
    /// <exception cref="FindingsException">The declaration is wrong: every error at once, each with its line and remedy.</exception>
    public static EntitySet Parse(string text, string name)
    {
        var findings = new Findings(Path.GetFileName(name));
        var entities = Read(text, findings);
        // Even beside other errors: all of them are reported at once.
        new EntityRelations(entities, findings).Check();
        if (!findings.Any)
            CheckSizes(entities, findings);
        if (findings.Any)
            throw findings.ToException();
        return new EntitySet([.. entities.Select(e => e.Declaration)]);
    }

    private static void CheckSizes(List<ReadEntity> entities, Findings findings)
    {
        foreach (var (entity, lines) in entities)
            if (RowTransform.RulesOf(entity) is { Count: > RowTransform.MaxRules } rules)
                findings.Add(
                    "declaration-size",
                    lines.Entity,
                    $"{entity.Name} has {rules.Count} rules, with those that follow from its column types.",
                    $"At most {RowTransform.MaxRules}: join some with AND."
                );
    }

    /// <summary>The parser's own words, without the place, which is said already, and without the names of its parameters.</summary>
    private static string Reason(JsonException failure) => failure.Message.Split(" LineNumber")[0].Split(", when isFinalBlock")[0];

    private static List<ReadEntity> Read(string text, Findings findings)
    {
        LocatedJson json;
        try
        {
            json = LocatedJson.Parse(text);
        }
        catch (JsonException failure)
        {
            findings.Add(
                "declaration-json",
                (int)(failure.LineNumber ?? 0) + 1,
                $"not JSON: {Reason(failure)}",
                "Correct the syntax; comments and trailing commas are allowed."
            );
            return [];
        }
        var root = new JsonObjectReader(json, "the declaration", findings, "entities");
        if (root.Required("entities", JsonShape.Array) is not { } list)
            return [];
        if (list.Items.Count == 0)
            findings.Add("declaration-missing", list.Line, "no entity is declared.", "Declare at least one.");
        var reader = new EntityReader(findings);
        return [.. list.Items.Select(reader.Read).OfType<ReadEntity>()];
    }
}
