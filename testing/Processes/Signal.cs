using System.Runtime.InteropServices;

namespace Cdc.Testing.Processes;

/// <summary>POSIX signals, by Linux numbers.</summary>
public enum Signal
{
    HangUp = 1,
    Interrupt = 2,
    Quit = 3,
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

internal static partial class SignalSender
{
    /// <summary>False if there is no such process any more.</summary>
    public static bool Send(int pid, Signal signal)
    {
        if (Kill(pid, (int)signal) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        const int noSuchProcess = 3;
        return error == noSuchProcess
            ? false
            : throw new InvalidOperationException($"Signal {signal} to process {pid} failed: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
