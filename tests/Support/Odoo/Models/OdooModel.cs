namespace Cdc.Tests.Support.Odoo.Models;

internal enum Operation
{
    Read,
    Write,
    Create,
    Unlink,
}

/// <param name="Name">Such as <c>loyalty.card</c>; its table has underscores, unless it is said.</param>
/// <param name="ClassName">Python's, which stands in a message.</param>
internal sealed record OdooModel(string Name, string Description, string ClassName)
{
    public string Table { get; init; } = Name.Replace('.', '_');

    /// <summary>By name.</summary>
    public required IReadOnlyDictionary<string, OdooField> Fields { get; init; }

    public string Order { get; init; } = "id";

    /// <summary>The groups that may, by operation; nobody where there is none.</summary>
    public IReadOnlyDictionary<Operation, int[]> Rights { get; init; } = new Dictionary<Operation, int[]>();

    /// <summary>Values of fields that a create leaves out.</summary>
    public IReadOnlyDictionary<string, object?> Defaults { get; init; } = new Dictionary<string, object?>();

    /// <summary>Archived rows are left out unless they are asked for.</summary>
    public bool HasActive => Fields.ContainsKey("active");

    public OdooModel With(IEnumerable<OdooField> more)
    {
        var fields = new Dictionary<string, OdooField>(Fields);
        foreach (var field in more)
            fields[field.Name] = field;
        return this with { Fields = fields };
    }
}
