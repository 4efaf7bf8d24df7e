using System.Collections.Concurrent;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Core.Telemetry;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Capture.Snapshot;

/// <summary>
/// Reads chunks while the stream goes on. A chunk is announced, read in one snapshot, and marked; the stream gives it its place; then it is
/// loaded beside the stream or has travelled in it, and is finished when the stream has passed it.
/// </summary>
internal sealed class SnapshotLoop(
    SourceOptions source,
    SnapshotOptions options,
    EntitySet entities,
    StreamPlacement place,
    CaptureSeams seams,
    ILogger log
)
{
    private const string LockNotAvailable = "55P03";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly Dictionary<Task, ChunkJob> _running = [];
    private readonly ConcurrentBag<ChunkReader> _idle = [];
    private TaskCompletionSource _split = NewSignal();

    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                await ReapAsync();
                var split = Volatile.Read(ref _split).Task;
                if (_running.Count < options.Workers && await NextAsync(ct) is { } job)
                    _running.Add(RunAsync(job, ct), job);
                else
                    await Task.WhenAny([seams.ChunkQueue.WaitAsync(Pause, ct), split, .. _running.Keys]);
                ct.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await Task.WhenAll(_running.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var reader in _idle)
                await reader.DisposeAsync();
        }
    }

    private async Task ReapAsync()
    {
        foreach (var done in _running.Keys.Where(t => t.IsCompleted).ToList())
        {
            _running.Remove(done);
            await done;
        }
    }

    /// <summary>The next job that may be read now; an entity that must wait for an old transaction holds up no other.</summary>
    private async Task<ChunkJob?> NextAsync(CancellationToken ct)
    {
        var waiting = new HashSet<int>();
        while (await seams.ChunkQueue.NextAsync([.. _running.Values], waiting, ct) is { } job)
        {
            if (await place.Barrier.FindAsync(job.Entity, ct) is not { } wait)
                return job;
            CaptureLog.ChunkWaits(log, entities[job.Entity].Name, wait.Xmin, wait.Barrier);
            waiting.Add(job.Entity);
        }
        return null;
    }

    private async Task RunAsync(ChunkJob job, CancellationToken ct)
    {
        var reader = _idle.TryTake(out var idle) ? idle : new ChunkReader(source, options, entities, seams.Tables);
        try
        {
            if (await ReadAsync(reader, job, ct) is not { } ticket)
                return;
            CrashPoint.Hit("after-chunk-read");
            await place.Markers.WriteAsync(CaptureLoop.ChunkPrefix, place.Stream.MarkerOf(ticket), ct);
            await FinishAsync(ticket, ct);
        }
        catch (HashedKeyException collision)
        {
            await StopAsync(job.Entity, collision.Message, ct);
        }
        finally
        {
            _idle.Add(reader);
        }
    }

    /// <summary>Null if it cannot be read now: it stays in the queue.</summary>
    private async Task<ChunkTicket?> ReadAsync(ChunkReader reader, ChunkJob job, CancellationToken ct)
    {
        ChunkTicket? ticket = null;
        try
        {
            if (job.Keys is null && await reader.BoundaryAsync(job, ct) is { } boundary)
                job = await SplitAsync(job, boundary, ct);
            ticket = place.Ledger.Announce(job);
            var reading = await reader.ReadAsync(job, snapshot => place.Ledger.TrySetSnapshot(ticket, snapshot), ct);
            if (reading is not null)
                return await NarrowAsync(ticket, reading, ct);
        }
        catch (HashedKeyException)
        {
            if (ticket is not null)
                place.Ledger.GiveUp(ticket);
            throw;
        }
        catch (Exception e)
            when (e is UnreadableTableException
                || (e is PostgresException refused && (SqlStates.IsRefusal(refused.SqlState) || refused.SqlState == LockNotAvailable))
            )
        {
            CaptureLog.ChunkNotReadable(log, entities[job.Entity].Name, e.Message);
        }
        if (ticket is not null)
            place.Ledger.GiveUp(ticket);
        await Task.Delay(Pause, ct);
        return null;
    }

    /// <summary>The job stays in the queue: when the table goes on it is read again.</summary>
    private async Task StopAsync(int entity, string reason, CancellationToken ct)
    {
        if (!seams.Tables.IsStopped(entity))
            await place.Stream.ChangeTable(entity, reason, null, default).WaitAsync(ct);
        await Task.Delay(Pause, ct);
    }

    /// <summary>The rest is another job: wakes idle workers, which otherwise wait for the next poll of the queue.</summary>
    private async Task<ChunkJob> SplitAsync(ChunkJob job, long at, CancellationToken ct)
    {
        var lower = await seams.ChunkQueue.SplitAsync(job, at, ct);
        Interlocked.Exchange(ref _split, NewSignal()).SetResult();
        return lower;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<ChunkTicket> NarrowAsync(ChunkTicket ticket, ChunkReading reading, CancellationToken ct)
    {
        if (reading.Next is { } next)
            ticket.Narrow(await SplitAsync(ticket.Chunk.Job, next, ct));
        ticket.Rows = reading.Rows;
        ticket.Chunk.Rows = reading.Rows.Rows.Count;
        return ticket;
    }

    private async Task FinishAsync(ChunkTicket ticket, CancellationToken ct)
    {
        var outcome = await ticket.Marked.WaitAsync(ct);
        if (ticket.Mistaken is { } mistaken)
            throw HashedKeyException.Collision(entities[ticket.Entity], mistaken);
        if (outcome == MarkerOutcome.ReadAgain)
            return;
        var chunk = ticket.Chunk;
        if (outcome == MarkerOutcome.Beside)
            await seams.ChunkSink.LoadAsync(chunk, ticket.Rows!, ct);
        ticket.Rows = null;
        await chunk.Passed.WaitAsync(ct);
        var swept = await seams.ChunkSink.FinishAsync(chunk, ct);
        seams.Statistics.ChunkRead(chunk.Rows);
        CaptureLog.ChunkDone(
            log,
            entities[chunk.Job.Entity].Name,
            chunk.Job.Kind.ToString(),
            chunk.Job.Range.ToString(),
            chunk.Rows,
            swept,
            chunk.Dropped.Count
        );
    }
}
