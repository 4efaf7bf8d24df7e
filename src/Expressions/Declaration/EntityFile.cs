using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Rows;

namespace Cdc.Expressions.Declaration;

/// <summary>The entities declaration: JSON with comments and trailing commas.</summary>
public static class EntityFile
{
    /// <param name="written">A path, or the name of a preset.</param>
    /// <exception cref="FindingsException">The file cannot be read, or is wrong: every error at once, each with its line and remedy.</exception>
    public static EntitySet Load(string written, DeclarationSettings? settings = null)
    {
        var isPreset = Presets.IsName(written, "");
        var path = isPreset ? Presets.PathOf(written) : written;
        try
        {
            return Parse(File.ReadAllText(path), path, settings, isPreset ? written : null);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new FindingsException(
                FailureKind.Configuration,
                $"The entities declaration {written} cannot be read.",
                [new Finding("declaration-file", IsError: true, failure.Message, Remedy(written))]
            );
        }
    }

    /// <param name="path">How messages name the file, and what its includes are relative to.</param>
    /// <param name="preset">The text is that of this preset.</param>
    /// <exception cref="FindingsException">The declaration is wrong: every error at once, each with its line and remedy.</exception>
    public static EntitySet Parse(string text, string path, DeclarationSettings? settings = null, string? preset = null)
    {
        settings ??= new DeclarationSettings();
        var findings = new Findings(Path.GetFileName(path));
        var files = new IncludedFiles(findings);
        if (preset is not null)
            files.AddPart(preset);
        var entities = Read(files.Read(text, path), settings, findings);
        // Even beside other errors: all of them are reported at once.
        new EntityRelations(entities, findings).Check();
        CheckQuarantine(entities, settings, findings, Path.GetFileName(path));
        if (!findings.Any)
            CheckSizes(entities, findings);
        if (findings.Any)
            throw findings.ToException();
        return new EntitySet([.. entities.Select(e => e.Declaration)]) { Preset = preset ?? files.Preset, Parts = files.Parts };
    }

    /// <summary>Of a file that cannot be read.</summary>
    internal static string Remedy(string written) =>
        Presets.IsName(written, "")
            ? NearestName.Remedy(written, Presets.Names, "Name a file, or a preset")
            : "Set Entities to the path of the entities declaration, or to the name of a preset, and let this user read it.";

    private static void CheckQuarantine(List<ReadEntity> entities, DeclarationSettings settings, Findings findings, string file)
    {
        var rules = entities.SelectMany(e => e.Lines.Warnings).ToHashSet(StringComparer.Ordinal);
        foreach (var name in settings.Quarantine.Where(n => !rules.Contains(n)))
            findings.Add(
                "declaration-quarantine",
                new FileLine(file, 1),
                $"Entities:Quarantine names \"{name}\", which is no rule that only warns.",
                NearestName.Remedy(name, rules.Order(StringComparer.Ordinal), "Those are")
            );
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

    private static List<ReadEntity> Read(LocatedJson? json, DeclarationSettings settings, Findings findings)
    {
        if (json is null)
            return [];
        var root = new JsonObjectReader(json, "the declaration", findings, "include", "entities");
        if (root.Required("entities", JsonShape.Array) is not { } list)
            return [];
        if (list.Items.Count == 0)
            findings.Add("declaration-missing", list.Line, "no entity is declared.", "Declare at least one.");
        var reader = new EntityReader(settings, findings);
        return [.. list.Items.Select(reader.Read).OfType<ReadEntity>()];
    }
}
