namespace Cdc.Log.Avro.Schemas;

/// <summary>The name of a record, enum or fixed.</summary>
/// <param name="Namespace">Parts with dots between them; empty: none.</param>
internal readonly record struct AvroName(string Namespace, string Name)
{
    public string Full => Namespace.Length == 0 ? Name : $"{Namespace}.{Name}";

    public override string ToString() => Full;

    /// <summary>A name as it stands in a schema: one with dots is a full name, another takes the namespace that encloses it.</summary>
    /// <exception cref="AvroSchemaException">It is not a name.</exception>
    public static AvroName Of(string name, string enclosing)
    {
        var dot = name.LastIndexOf('.');
        var full = dot >= 0 ? new AvroName(name[..dot], name[(dot + 1)..]) : new AvroName(enclosing, name);
        if (!IsName(full.Name) || (full.Namespace.Length > 0 && !full.Namespace.Split('.').All(IsName)))
            throw new AvroSchemaException($"'{name}' is not a name: letters, digits and underscores, not a digit first.");
        return full;
    }

    /// <summary>[A-Za-z_][A-Za-z0-9_]*</summary>
    public static bool IsName(string name) => name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(IsNameCharacter);

    /// <summary>The nearest name; what may not stand in one becomes an underscore, as Debezium does.</summary>
    public static string Adjusted(string text)
    {
        var name = string.Concat(text.Select(c => IsNameCharacter(c) ? c : '_'));
        return name.Length == 0 || char.IsAsciiDigit(name[0]) ? "_" + name : name;
    }

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
}
