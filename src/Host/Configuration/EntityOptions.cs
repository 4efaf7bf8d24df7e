namespace Cdc.Host.Configuration;

/// <summary>What is followed (section <c>Entities</c>). A single value in its place is the path of the declaration.</summary>
[SingleValue(nameof(File))]
internal sealed record EntityOptions
{
    /// <summary>Path of the entities declaration; relative to the current folder.</summary>
    public string File { get; init; } = Path.Combine(AppContext.BaseDirectory, "schemas", "entities.json");

    /// <summary>Folder of the operator's own migrations; relative to the current folder. Nothing: there are none.</summary>
    public string Migrations { get; init; } = "";
}

/// <summary>A section that may also be written as one value: that of the property with this name.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SingleValueAttribute(string property) : Attribute
{
    public string Property { get; } = property;
}
