using Cdc.Core.Snapshots;

namespace Cdc.Apply;

/// <summary>
/// Keeps the stream and the loads beside it out of each other's keys. Without it a delete could pass before the load that still brings its
/// row, and the two engine transactions could wait for each other's locks.
/// A load never waits: where the open engine transaction has touched its range, the answer is that it travels in the stream instead. The
/// stream waits only for loads that were reserved before it asked, so neither can starve the other.
/// </summary>
public sealed class LoadGate
{
    /// <summary>Above it a transaction counts as having touched every key: what is remembered of a large one stays small.</summary>
    private const int RememberedKeys = 250_000;

    /// <summary>Known by its reference; not the empty array, which all of a process shares.</summary>
    private static readonly long[] EveryKey = [long.MinValue];

    private sealed record Reservation(ChunkJob Job, TaskCompletionSource Done);

    private readonly Lock _lock = new();
    private readonly List<Reservation> _reserved = [];
    private readonly List<(int Entity, long[] Keys)> _touched = [];
    private int _touchedKeys;

    /// <summary>False if the stream's open transaction has touched the job's keys.</summary>
    public bool TryReserve(ChunkJob job)
    {
        lock (_lock)
        {
            foreach (var (entity, keys) in _touched)
                if (entity == job.Entity && Touches(keys, job.Range))
                    return false;
            _reserved.Add(new Reservation(job, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
            return true;
        }
    }

    public void Release(ChunkJob job)
    {
        lock (_lock)
        {
            var index = _reserved.FindIndex(r => r.Job.Id == job.Id);
            if (index < 0)
                return;
            _reserved[index].Done.TrySetResult();
            _reserved.RemoveAt(index);
        }
    }

    /// <summary>The reader of chunks has ended: what is still reserved is never loaded, and nothing may wait for it.</summary>
    public void ReleaseAll()
    {
        lock (_lock)
        {
            foreach (var reservation in _reserved)
                reservation.Done.TrySetResult();
            _reserved.Clear();
        }
    }

    /// <summary>The stream is about to write these keys (sorted); it may once the loads that were reserved before have ended.</summary>
    public Task EnterAsync(int entity, long[] sortedKeys)
    {
        lock (_lock)
        {
            _touchedKeys += sortedKeys.Length;
            _touched.Add((entity, _touchedKeys > RememberedKeys ? EveryKey : sortedKeys));
            return Wait(r => r.Job.Entity == entity && Touches(sortedKeys, r.Job.Range));
        }
    }

    /// <summary>The stream is about to write any key of the entity (a truncate).</summary>
    public Task EnterAllAsync(int entity)
    {
        lock (_lock)
        {
            _touched.Add((entity, EveryKey));
            return Wait(r => r.Job.Entity == entity);
        }
    }

    /// <summary>The stream's engine transaction has ended.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _touched.Clear();
            _touchedKeys = 0;
        }
    }

    private Task Wait(Func<Reservation, bool> overlaps)
    {
        if (_reserved.Count == 0)
            return Task.CompletedTask;
        var loads = _reserved.Where(overlaps).Select(r => r.Done.Task).ToArray();
        return loads.Length == 0 ? Task.CompletedTask : Task.WhenAll(loads);
    }

    private static bool Touches(long[] sortedKeys, KeyRange range)
    {
        if (ReferenceEquals(sortedKeys, EveryKey))
            return true;
        var first = range.From is { } from ? Array.BinarySearch(sortedKeys, from) : 0;
        if (first < 0)
            first = ~first;
        return first < sortedKeys.Length && range.Contains(sortedKeys[first]);
    }
}
