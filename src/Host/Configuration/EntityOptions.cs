using Cdc.Core.Configuration;
using Cdc.Expressions.Declaration;

namespace Cdc.Host.Configuration;

/// <summary>
/// What is followed (section <c>Entities</c>). A single value in its place is the path of the declaration, or the name of a preset.
/// </summary>
[SingleValue(nameof(File))]
internal sealed record EntityOptions : IOptionSection
{
    /// <summary>Path of the entities declaration, relative to the current folder; or the name of a preset, such as <c>odoo-18</c>.</summary>
    public string File { get; init; } = Path.Combine(AppContext.BaseDirectory, "schemas", "entities.json");

    /// <summary>Folder of the operator's own migrations; relative to the current folder. Nothing: there are none.</summary>
    public string Migrations { get; init; } = "";

    /// <summary>In which translated texts are read where they have it, as Odoo names it: <c>id_ID</c>.</summary>
    public string Language { get; init; } = "en_US";

    /// <summary>Rules, separated by commas, whose rows go to quarantine although the declaration only warns.</summary>
    public string Quarantine { get; init; } = "";

    public DeclarationSettings Settings =>
        new()
        {
            Language = Language,
            Quarantine = Quarantine.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        };

    public void Check(OptionChecks checks) =>
        checks.Require(DeclarationSettings.IsLanguage(Language), nameof(Language), "must be a language as Odoo names it, such as id_ID");
}

/// <summary>A section that may also be written as one value: that of the property with this name.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SingleValueAttribute(string property) : Attribute
{
    public string Property { get; } = property;
}
