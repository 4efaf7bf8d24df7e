namespace Cdc.Testing.Processes;

/// <summary>
/// A file for a shell to source: the settings of a <c>cdc</c> process as exported variables, and <c>cdc</c> itself as a function, so that
/// commands can be typed that lead to running servers. Gone when it is disposed, unless another has taken its place.
/// </summary>
public sealed class ShellEnvironment : IDisposable
{
    private readonly string _path;
    private readonly string _text;

    private ShellEnvironment(string path, string text) => (_path, _text) = (path, text);

    /// <param name="command">What the function runs, before its arguments.</param>
    public static ShellEnvironment Write(string path, IReadOnlyDictionary<string, string?> variables, IReadOnlyList<string> command)
    {
        var exports = variables
            .Where(v => v.Value is not null)
            .OrderBy(v => v.Key, StringComparer.Ordinal)
            .Select(v => $"export {v.Key}={Quoted(v.Value!)}\n");
        var text = string.Concat(exports) + $"cdc() {{ {string.Join(' ', command.Select(Quoted))} \"$@\"; }}\n";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return new ShellEnvironment(path, text);
    }

    public void Dispose()
    {
        if (File.Exists(_path) && File.ReadAllText(_path) == _text)
            File.Delete(_path);
    }

    private static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
