using Spectre.Console;

namespace Cdc.Host.Terminals;

/// <summary>Results go to Out, everything else to Error. Tables, colours and bars only on a terminal.</summary>
internal sealed class Terminal
{
    public required TextWriter Out { get; init; }
    public required TextWriter Error { get; init; }
    public required TextReader In { get; init; }
    public required bool OutIsTerminal { get; init; }
    public required bool ErrorIsTerminal { get; init; }

    /// <summary>A user can be asked.</summary>
    public required bool CanAsk { get; init; }

    /// <summary>
    /// What is written is lost, as after <c>| head -1</c>. .NET leaves out what cannot be written to a pipe, silently: a command that
    /// goes on for ever has to ask.
    /// </summary>
    public Func<bool> OutHasNoReader { get; init; } = () => false;

    /// <summary>For tables, live views and bars; used only if <see cref="OutIsTerminal"/>.</summary>
    public IAnsiConsole Screen => field ??= ScreenOver(Out);

    public IAnsiConsole ErrorScreen => field ??= ScreenOver(Error);

    public static Terminal OfProcess() =>
        new()
        {
            Out = Console.Out,
            Error = Console.Error,
            In = Console.In,
            OutIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            OutHasNoReader = ClosedPipe.IsStandardOutput,
            CanAsk = !Console.IsInputRedirected && !Console.IsErrorRedirected,
        };

    private static IAnsiConsole ScreenOver(TextWriter writer) =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
}
