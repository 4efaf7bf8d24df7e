namespace Cdc.Testing;

/// <summary>Files of this repository, for tests that read them as they are.</summary>
public static class SourceTree
{
    /// <summary>The folder of Cdc.sln above the running assembly.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>Files below a folder, but for what a build has made.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory
            .EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(Root, f).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));

    private static string Find(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Cdc.sln")))
                return at.FullName;
        throw new DirectoryNotFoundException($"No Cdc.sln above {folder}: tests run from a build inside the repository.");
    }
}
