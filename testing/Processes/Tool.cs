using System.Diagnostics;

namespace Cdc.Testing.Processes;

/// <summary>Short programs that are run to their end.</summary>
internal static class Tool
{
    /// <exception cref="InvalidOperationException">It ended with an error; the message has its output.</exception>
    public static async Task<string> RunAsync(IReadOnlyList<string> command, CancellationToken ct)
    {
        using var process = Process.Start(
            new ProcessStartInfo(command[0], command.Skip(1))
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = Path.GetTempPath(),
            }
        )!;
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var errors = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        var text = await output + await errors;
        return process.ExitCode == 0
            ? text
            : throw new InvalidOperationException($"'{string.Join(' ', command)}' ended with exit code {process.ExitCode}: {text.Trim()}");
    }
}
