using Cdc.Core.Failures;

namespace Cdc.Host.Terminals;

/// <summary>Says what will happen, then asks. Without a terminal the answer is no, unless --yes was given.</summary>
internal static class Confirmation
{
    /// <exception cref="CdcException">Refused: nothing was changed.</exception>
    public static void Obtain(Terminal terminal, IEnumerable<string> whatWillHappen, bool yes)
    {
        terminal.Error.WriteLine("This will happen:");
        foreach (var line in whatWillHappen)
            terminal.Error.WriteLine("  - " + line);
        if (yes)
            return;
        if (!terminal.CanAsk)
            throw new CdcException(
                FailureKind.Refused,
                "This needs a confirmation, and there is no terminal to ask on. Nothing was changed.",
                "Read what will happen, above, then run the same command with --yes."
            );
        terminal.Error.Write("Continue? [y/N] ");
        terminal.Error.Flush();
        if (terminal.In.ReadLine()?.Trim().ToLowerInvariant() is not ("y" or "yes"))
            throw new CdcException(FailureKind.Refused, "Not confirmed. Nothing was changed.", "Run the command again when you are ready.");
    }
}
