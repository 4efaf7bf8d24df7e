namespace Cdc.Tests.Unit.Odoo;

/// <summary>
/// Pauses are over at once, and time-outs, which are longer than any pause, never come. So what is repeated after a pause is repeated, and
/// nothing depends on how fast the machine is.
/// </summary>
internal sealed class HurriedTime : TimeProvider
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);

    private readonly Lock _lock = new();
    private readonly List<TimeSpan> _pauses = [];

    public IReadOnlyList<TimeSpan> Pauses
    {
        get
        {
            lock (_lock)
                return [.. _pauses];
        }
    }

    /// <summary>The clock itself goes on by this.</summary>
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Ahead;

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime >= TimeSpan.Zero && dueTime <= LongestPause)
        {
            lock (_lock)
                _pauses.Add(dueTime);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
        }
        return new Nothing();
    }

    private sealed class Nothing : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() { }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
