using System.Runtime.InteropServices;
using Cdc.Expressions;

namespace Cdc.Host;

/// <summary>SIGTERM, SIGINT and SIGQUIT ask to stop: the first cancels, a second one ends the process as it would without us.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals()
    {
        _registrations =
        [
            .. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT }.Select(s =>
                PosixSignalRegistration.Create(s, OnSignal)
            ),
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

    private void OnSignal(PosixSignalContext context)
    {
        if (_stop.IsCancellationRequested)
            return;
        First = context.Signal.ToString();
        context.Cancel = true;
        _stop.Cancel();
    }
}
