using System.Text.Json.Nodes;
using Cdc.Tests.Support.Postgres;

namespace Cdc.Tests.Support.Processes;

/// <summary>A <see cref="JsonPeer"/> in Python over Debian's packages, wherever they were unpacked.</summary>
public static class PythonPeer
{
    private const string Installed = "/usr/lib/python3/dist-packages";

    private static readonly (string Module, string Variable)[] Packages = [("avro", "CDC_PYTHON_AVRO"), ("kafka", "CDC_PYTHON_KAFKA")];

    /// <param name="modules">What it needs: avro, kafka.</param>
    /// <exception cref="MissingPrerequisiteException">A module is not there: a skip, with CI set a failure.</exception>
    public static Task<JsonNode> AskAsync(string script, JsonNode request, CancellationToken ct, params string[] modules) =>
        JsonPeer.AskAsync(
            "python3",
            script,
            request,
            new Dictionary<string, string>
            {
                ["PYTHONPATH"] = string.Join(':', modules.Select(FolderOf)),
                ["PYTHONIOENCODING"] = "utf-8",
                ["PYTHONDONTWRITEBYTECODE"] = "1",
            },
            ct
        );

    private static string FolderOf(string module)
    {
        var variable = Packages.Single(p => p.Module == module).Variable;
        var folder = Environment.GetEnvironmentVariable(variable) ?? Installed;
        if (!Directory.Exists(Path.Combine(folder, module)))
            throw new MissingPrerequisiteException(
                $"There is no {module} for Python: install Debian's package python3-{module}, or name the folder that has it in {variable}."
            );
        return folder;
    }
}
