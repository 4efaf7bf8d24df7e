using System.Globalization;
using System.Runtime.InteropServices;

namespace Cdc.Host;

/// <summary>
/// SIGTERM, SIGINT, SIGQUIT and SIGHUP ask to stop: the first cancels, a second one ends the process as it would without us. A SIGHUP that
/// is ignored where the process began (nohup) stays so.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals()
    {
        _registrations =
        [
            .. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP }
                .Where(s => s != PosixSignal.SIGHUP || !HangUpIsIgnored())
                .Select(s => PosixSignalRegistration.Create(s, OnSignal)),
        ];
    }

    public CancellationToken Token => _stop.Token;

    /// <summary>The signal that came first; null while there was none.</summary>
    public string? First { get; private set; }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
    }

    /// <summary>SIGHUP is number 1: the lowest bit of the mask.</summary>
    private static bool HangUpIsIgnored()
    {
        const string Ignored = "SigIgn:";
        if (!File.Exists("/proc/self/status"))
            return false;
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(Ignored, StringComparison.Ordinal));
        return line is not null
            && ulong.TryParse(
                line.AsSpan(Ignored.Length).Trim(),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var mask
            )
            && (mask & 1) != 0;
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (_stop.IsCancellationRequested)
            return;
        First = context.Signal.ToString();
        context.Cancel = true;
        _stop.Cancel();
    }
}
