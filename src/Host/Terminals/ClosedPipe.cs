using System.Runtime.InteropServices;

namespace Cdc.Host.Terminals;

/// <summary>Whether the other end of a pipe has been closed.</summary>
internal static partial class ClosedPipe
{
    private const short Error = 0x8;
    private const short HangUp = 0x10;

    /// <summary>False where it is no pipe, and where the system cannot say it.</summary>
    public static bool IsStandardOutput()
    {
        if (OperatingSystem.IsWindows())
            return false;
        var output = new PollDescriptor { Descriptor = 1 };
        return Poll(ref output, 1, 0) > 0 && (output.Seen & (Error | HangUp)) != 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Wanted;
        public short Seen;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeout);
}
