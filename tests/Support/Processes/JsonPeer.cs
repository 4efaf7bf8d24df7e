using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Cdc.Tests.Support.Processes;

/// <summary>A script over libraries that no one here wrote: JSON to its standard input, JSON from its standard output.</summary>
public static class JsonPeer
{
    /// <exception cref="InvalidOperationException">It failed; the message is what it said on standard error.</exception>
    public static async Task<JsonNode> AskAsync(
        string program,
        string script,
        JsonNode request,
        IReadOnlyDictionary<string, string> environment,
        CancellationToken ct
    )
    {
        var start = new ProcessStartInfo(program, [SourceTree.PathOf(script)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var peer = Process.Start(start)!;
        var (output, errors) = (peer.StandardOutput.ReadToEndAsync(ct), peer.StandardError.ReadToEndAsync(ct));
        await peer.StandardInput.WriteAsync(request.ToJsonString().AsMemory(), ct);
        peer.StandardInput.Close();
        await peer.WaitForExitAsync(ct);
        if (peer.ExitCode != 0)
            throw new InvalidOperationException($"{script} ended with {peer.ExitCode}: {await errors}");
        return JsonNode.Parse(await output)!;
    }
}
