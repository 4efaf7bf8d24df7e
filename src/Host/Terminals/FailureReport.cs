using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Spectre.Console;

namespace Cdc.Host.Terminals;

/// <summary>How a failure is reported: what failed, then what to do next. A stack trace only for our own defects.</summary>
internal static class FailureReport
{
    public static void Write(Terminal terminal, Exception failure)
    {
        if (failure is CdcException known)
        {
            Write(terminal, known.Message, known.Remedy);
            if (known is { Kind: FailureKind.Unexpected, InnerException: { } cause })
                terminal.Error.WriteLine(cause);
        }
        else
        {
            Write(
                terminal,
                "Unexpected: " + failure.Message,
                "This is a defect. Report it with the lines below; run again with --verbose for more."
            );
            terminal.Error.WriteLine(failure);
        }
    }

    private static void Write(Terminal terminal, string message, string remedy)
    {
        if (!terminal.ErrorIsTerminal)
        {
            terminal.Error.WriteLine("error: " + message);
            terminal.Error.WriteLine("what to do next: " + remedy);
            return;
        }
        terminal.ErrorScreen.MarkupLineInterpolated($"[red bold]error:[/] {message}");
        terminal.ErrorScreen.MarkupLineInterpolated($"[yellow]what to do next:[/] {remedy}");
    }
}
