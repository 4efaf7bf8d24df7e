using Cdc.Host;
using Cdc.Host.Terminals;

namespace Cdc.Tests.Integration.Host;

/// <summary>A command that was typed, in this process, and what it wrote.</summary>
internal sealed record CommandRun(int ExitCode, string Out, string Error)
{
    /// <param name="answers">Lines typed at the terminal; null: there is none.</param>
    /// <param name="output">Can be read while the command runs.</param>
    public static async Task<CommandRun> StartAsync(
        Parts parts,
        Dictionary<string, string> environment,
        string? answers,
        StringWriter output,
        string[] args,
        CancellationToken ct
    )
    {
        var error = new StringWriter();
        var terminal = new Terminal
        {
            Out = output,
            Error = error,
            In = new StringReader(answers ?? ""),
            OutIsTerminal = false,
            ErrorIsTerminal = false,
            CanAsk = answers is not null,
        };
        var code = await CommandLine.RunAsync(args, new CommandHost(parts, terminal, environment, TimeProvider.System), null, ct);
        return new CommandRun(code, output.ToString(), error.ToString());
    }
}
