namespace Cdc.Expressions.Declaration;

/// <summary>The declarations that come with the program (<c>schemas/entities</c>): a bare name stands for one of them wherever a path may.</summary>
public static class Presets
{
    private const string Extension = ".json";

    private static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "schemas", "entities");

    /// <summary>Such as <c>odoo-18</c>.</summary>
    public static IReadOnlyList<string> Names { get; } =
        Directory.Exists(Folder)
            ?
            [
                .. Directory
                    .GetFiles(Folder, "*" + Extension)
                    .Select(f => Path.GetFileNameWithoutExtension(f)!)
                    .Order(StringComparer.Ordinal),
            ]
            : [];

    /// <summary>A name without folder and extension, and no file of that name is there.</summary>
    /// <param name="folder">What paths are relative to.</param>
    public static bool IsName(string written, string folder) =>
        written.Length > 0
        && written.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
        && !File.Exists(Path.Combine(folder, written));

    public static string PathOf(string name) => Path.Combine(Folder, name + Extension);

    /// <summary>Folder of the migrations that make a preset's own engine tables; null: it has none, or there is no such preset.</summary>
    public static string? MigrationsOf(string name) =>
        Names.Contains(name) && Path.Combine(Folder, name) is var folder && Directory.Exists(folder) ? folder : null;
}
