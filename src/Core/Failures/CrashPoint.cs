using System.Diagnostics;
using System.Globalization;

namespace Cdc.Core.Failures;

/// <summary>
/// Named places where a test kills this very process with SIGKILL: environment variable CDC_CRASH_AT = <c>name</c> or <c>name:N</c> for
/// the N-th time it is reached. Without the variable a place costs one comparison.
/// </summary>
public static class CrashPoint
{
    private static readonly (string? Name, int Times) Wanted = Parse(Environment.GetEnvironmentVariable("CDC_CRASH_AT"));
    private static int _reached;

    public static void Hit(string name)
    {
        if (Wanted.Name is null || Wanted.Name != name)
            return;
        if (Interlocked.Increment(ref _reached) < Wanted.Times)
            return;
        Process.GetCurrentProcess().Kill();
        Thread.Sleep(Timeout.Infinite);
    }

    private static (string?, int) Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return (null, 0);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (text, 1) : (text[..colon], int.Parse(text.AsSpan(colon + 1), CultureInfo.InvariantCulture));
    }
}
