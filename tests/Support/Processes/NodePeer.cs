using System.Text.Json.Nodes;
using Cdc.Tests.Support.Postgres;

namespace Cdc.Tests.Support.Processes;

/// <summary>A <see cref="JsonPeer"/> in JavaScript over npm's packages.</summary>
public static class NodePeer
{
    /// <param name="packages">What it needs.</param>
    /// <exception cref="MissingPrerequisiteException">A package is not there: a skip, with CI set a failure.</exception>
    public static Task<JsonNode> AskAsync(string script, JsonNode request, CancellationToken ct, params IEnumerable<string> packages)
    {
        var modules = Environment.GetEnvironmentVariable("CDC_NODE_MODULES") ?? SourceTree.PathOf(".run/node/node_modules");
        foreach (var package in packages)
            if (!Directory.Exists(Path.Combine(modules, package)))
                throw new MissingPrerequisiteException(
                    $"There is no {package}: install it from npm, and name the folder node_modules in CDC_NODE_MODULES."
                );
        return JsonPeer.AskAsync("node", script, request, new Dictionary<string, string> { ["NODE_PATH"] = modules }, ct);
    }
}
