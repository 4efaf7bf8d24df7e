using System.Globalization;

namespace Cdc.Api.Page;

/// <summary>
/// The last points, numbered, for any number of viewers: one that reconnects with the number of its last point gets those that followed.
/// A viewer that is slower than the points misses the oldest of them, and delays no other.
/// </summary>
internal sealed class LiveBoard
{
    /// <summary>A quarter of an hour at one a second.</summary>
    public const int Kept = 900;

    /// <summary>Numbers of another process are not valid here.</summary>
    private readonly string _epoch = Guid.NewGuid().ToString("N")[..8];
    private readonly Lock _lock = new();
    private readonly Queue<LivePoint> _points = new();
    private TaskCompletionSource _news = New();
    private TaskCompletionSource _watched = New();
    private LiveState? _state;
    private long _last;
    private int _viewers;

    public int Viewers => Volatile.Read(ref _viewers);

    /// <summary>Completes when there is a viewer.</summary>
    public Task Watched
    {
        get
        {
            lock (_lock)
                return _watched.Task;
        }
    }

    public void Add(LivePoint point, LiveState state)
    {
        TaskCompletionSource news;
        lock (_lock)
        {
            _points.Enqueue(point);
            if (_points.Count > Kept)
                _points.Dequeue();
            _state = state;
            _last++;
            (news, _news) = (_news, New());
        }
        news.SetResult();
    }

    /// <summary>What came after the event with this id, as soon as there is something.</summary>
    /// <param name="lastId">Null, or any text that is no id of this board: everything.</param>
    public async Task<(string Id, LiveTick Tick)> NextAsync(string? lastId, CancellationToken ct)
    {
        while (true)
        {
            Task news;
            lock (_lock)
            {
                var seen = Number(lastId);
                if (_last > 0 && seen != _last)
                {
                    // More than there are, or a number that was never given: all of them.
                    var missed =
                        seen is { } number && number < _last && _last - number <= _points.Count ? (int)(_last - number) : _points.Count;
                    var reset = seen is null || missed < _last - seen || seen > _last;
                    return (
                        string.Create(CultureInfo.InvariantCulture, $"{_epoch}-{_last}"),
                        new LiveTick(reset, [.. _points.Skip(_points.Count - missed)], _state!)
                    );
                }
                news = _news.Task;
            }
            await news.WaitAsync(ct);
        }
    }

    /// <summary>One viewer more, until it is disposed.</summary>
    public IDisposable Watch()
    {
        lock (_lock)
        {
            _viewers++;
            _watched.TrySetResult();
        }
        return new Viewer(this);
    }

    private void Leave()
    {
        lock (_lock)
            if (--_viewers == 0)
                _watched = New();
    }

    private long? Number(string? id) =>
        id is not null
        && id.StartsWith(_epoch + "-", StringComparison.Ordinal)
        && long.TryParse(id.AsSpan(_epoch.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Viewer(LiveBoard board) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                board.Leave();
        }
    }
}
