using System.Diagnostics;

namespace Cdc.Capture.Stream;

/// <summary>
/// How long messages may be gathered, by how fast they come: a quiet stream is passed on at once, a steady one each millisecond, a backlog
/// each five. Without any traffic nothing ticks.
/// </summary>
/// <param name="milliseconds">A monotonic clock.</param>
internal sealed class ReceivePace(Func<double> milliseconds)
{
    /// <summary>
    /// Bytes a millisecond from which a wake-up a packet costs more than a millisecond is worth: some hundred small transactions a second.
    /// </summary>
    private const double Steady = 256;

    /// <summary>Bytes a millisecond at which the reader is behind rather than caught up.</summary>
    private const double Backlog = 8192;
    private const int QuietStepsBeforeParking = 200;

    private double _last = milliseconds();
    private double _rate;
    private int _quietSteps;

    public ReceivePace()
        : this(static () => Stopwatch.GetElapsedTime(0).TotalMilliseconds) { }

    /// <param name="Gather">Hold packets back until enough are there, or the wait is over.</param>
    /// <param name="Park">There is nothing to do until something arrives.</param>
    public readonly record struct Step(int WaitMilliseconds, bool Gather, bool Park);

    /// <param name="bytes">Received since the last step.</param>
    public Step Next(long bytes)
    {
        var now = milliseconds();
        // Half of the past: a pause of one step between two transactions is not the end of a backlog.
        _rate = (_rate + (bytes / Math.Max(now - _last, 1))) / 2;
        _last = now;
        _quietSteps = bytes == 0 ? _quietSteps + 1 : 0;
        return _rate switch
        {
            >= Backlog => new Step(5, Gather: true, Park: false),
            >= Steady => new Step(1, Gather: true, Park: false),
            _ => new Step(5, Gather: false, Park: _quietSteps >= QuietStepsBeforeParking),
        };
    }
}
