namespace Cdc.Host.Configuration;

/// <summary>Where a value came from, so that an error points at the place to fix.</summary>
internal sealed class OptionOrigin(string file, IReadOnlyDictionary<string, string> environment)
{
    public const string Prefix = "CDC__";

    /// <summary>Such as <c>Source:SlotName in cdc.json</c> or <c>environment variable CDC__Source__SlotName</c>.</summary>
    public string Of(string path) =>
        environment.Keys.FirstOrDefault(name =>
            PathOf(name).Equals(path, StringComparison.OrdinalIgnoreCase)
            || PathOf(name).StartsWith(path + ':', StringComparison.OrdinalIgnoreCase)
        )
            is { } variable
            ? $"environment variable {variable}"
            : $"{path} in {file}";

    /// <summary>The same for this very path, and none below it.</summary>
    public string Exactly(string path) => VariableAt(path) is { } variable ? $"environment variable {variable}" : InFile(path);

    public string InFile(string path) => $"{path} in {file}";

    /// <summary>Null: the environment does not set it.</summary>
    public string? VariableAt(string path) =>
        environment.Keys.FirstOrDefault(name => PathOf(name).Equals(path, StringComparison.OrdinalIgnoreCase));

    /// <summary>The variable that sets an option, in .NET's form.</summary>
    public static string VariableOf(string path) => Prefix + path.Replace(":", "__", StringComparison.Ordinal);

    public static string PathOf(string variable) => variable[Prefix.Length..].Replace("__", ":", StringComparison.Ordinal);
}
