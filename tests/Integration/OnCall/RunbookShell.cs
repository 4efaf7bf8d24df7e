using Cdc.Tests.Support.Processes;

namespace Cdc.Tests.Integration.OnCall;

/// <summary>Runs a runbook's shell commands, with a <c>cdc</c> on the path, as the runbook's reader has it.</summary>
internal sealed class RunbookShell : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdc-runbook-");

    public RunbookShell() =>
        File.WriteAllText(Wrapper, $"#!/bin/sh\nexec {string.Join(' ', CdcProcess.CommandLine.Select(w => $"'{w}'"))} \"$@\"\n");

    private string Wrapper => Path.Combine(_folder.FullName, "cdc");

    /// <returns>Exit code and output.</returns>
    public async Task<(int Code, string Output)> RunAsync(
        string script,
        IReadOnlyDictionary<string, string?> environment,
        CancellationToken ct
    )
    {
        var all = new Dictionary<string, string?>(environment)
        {
            ["PATH"] = $"{_folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}",
        };
        await using var process = await WatchedProcess.StartAsync(
            new WatchedCommand("/bin/sh", "-ec", $"chmod +x '{Wrapper}'\n{script}") { Environment = all },
            ct
        );
        var code = await process.WaitAsync(ct);
        return (code, process.Tail);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
