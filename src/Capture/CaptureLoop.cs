using System.Buffers.Binary;
using System.Collections.Concurrent;
using Cdc.Capture.Fences;
using Cdc.Capture.Snapshot;
using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Log;

namespace Cdc.Capture;

/// <summary>
/// Reads the slot and appends to the change log. Its duties, in order, for every message: map it, remember its keys for the drop rule,
/// close the chunk or fence whose marker it is, and hand the batch over when it is large or nothing more is buffered.
/// </summary>
internal sealed class CaptureLoop(
    int generation,
    PgOutputMapper mapper,
    ChunkLedger ledger,
    IChunkSink chunks,
    RedeliveryCheck redelivery,
    IChangeLogWriter log
) : IStreamSink
{
    public const string HeartbeatPrefix = "cdc.heartbeat";
    public const string ChunkPrefix = "cdc.chunk";
    public const string FencePrefix = "cdc.fence";

    /// <summary>Rows of a chunk count from here at its marker; its end is at -1.</summary>
    private const long FirstChunkOrdinal = int.MinValue;

    private const int BatchEvents = 1024;
    private const long BatchBytes = 512 << 10;

    /// <summary>
    /// While Apply has enough to do, the reader rests between two pieces. The walsender then finds the receiver's window closed and sends
    /// on as one packet what it would have sent message by message: 0.8 instead of 4 to 5 microseconds of its CPU a row (seen), which Apply
    /// needs more.
    /// </summary>
    private const int RestAfterBytes = 64 << 10;
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(5);

    private sealed record PostedState(
        int Entity,
        string? StopReason,
        TableFingerprint? Fingerprint,
        Lsn SeenAt,
        TaskCompletionSource Applied
    );

    private readonly SessionMarker _marker = new();
    private readonly ConcurrentQueue<PostedState> _tableStates = new();
    private ChangeBatch _batch = new();
    private LedgerTicket? _markedTicket;
    private Lsn _markedAt;
    private Lsn _streamed;
    private int _readSinceRest;

    /// <summary>
    /// Ends when the token asks for it (at once: what is half streamed will be sent again), or throws when the stream breaks.
    /// </summary>
    public async Task RunAsync(ReplicationSource source, CancellationToken stop, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, ct);
        try
        {
            while (true)
            {
                if (_readSinceRest >= RestAfterBytes && log.IsHalfFull)
                    await RestAsync(either.Token, ct);
                var read = source.ReadAsync(either.Token);
                if (!read.IsCompleted)
                {
                    // Nothing more is buffered: each packet from here on would wake this thread.
                    _readSinceRest = RestAfterBytes;
                    await HandOverAsync(ct);
                }
                if (await read is not { } message)
                    throw new IOException("The source ended the replication stream.");
                _readSinceRest = Math.Min(_readSinceRest + message.Payload.Length, RestAfterBytes);
                mapper.Map(message.Payload.Span, message.WalStart, this);
                CrashPoint.Hit("after-read");
                if (_markedTicket is not null)
                    await CloseAsync(ct);
                if (!mapper.InTransaction && !_tableStates.IsEmpty)
                    AppendTableStates();
                if (_batch.Count >= BatchEvents || _batch.Bytes >= BatchBytes)
                    await HandOverAsync(ct);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            await HandOverAsync(ct);
        }
    }

    /// <summary>The content of a marker that brings this session's chunk or fence back.</summary>
    public byte[] MarkerOf(LedgerTicket ticket) => _marker.Of(ticket.Number);

    /// <summary>
    /// Takes its place in the stream between the next two transactions. The task ends when the registry of tables has it.
    /// </summary>
    /// <param name="seenAt">End of the source's WAL when the change was seen: what made it lies before.</param>
    public Task ChangeTable(int entity, string? stopReason, TableFingerprint? fingerprint, Lsn seenAt)
    {
        var posted = new PostedState(
            entity,
            stopReason,
            fingerprint,
            seenAt,
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
        );
        _tableStates.Enqueue(posted);
        return posted.Applied.Task;
    }

    void IStreamSink.Begin(SourceTransaction transaction)
    {
        redelivery.Begin(transaction);
        ledger.Begin(transaction.Xid);
        _streamed = transaction.CommitLsn;
    }

    void IStreamSink.Row(RowChange change)
    {
        ledger.Streamed(change.Schema.Entity, change.Key, change.SpelledKey is { } spelled ? KeyHash.Check(spelled) : 0);
        _batch.Add(change);
    }

    void IStreamSink.Truncate(TruncateChange change)
    {
        foreach (var entity in change.Entities)
            ledger.Truncated(entity);
        _batch.Add(change);
    }

    void IStreamSink.Commit(CommitChange change) => _batch.Add(change);

    void IStreamSink.TableState(TableStateChange change)
    {
        if (change.StopReason is null)
            ledger.Skipped(change.Entity);
        _batch.Add(change);
    }

    void IStreamSink.Message(string prefix, ReadOnlySpan<byte> content, Lsn lsn)
    {
        // It comes between transactions: everything that was committed before it has been streamed.
        if (!mapper.InTransaction)
        {
            redelivery.Passed(lsn);
            _batch.Add(new ThroughChange { Through = lsn, AsOfMicros = prefix is HeartbeatPrefix ? TimeIn(content) : null });
        }
        if (prefix is ChunkPrefix or FencePrefix && _marker.TicketOf(content) is { } ticket)
            (_markedTicket, _markedAt) = (ledger.Find(ticket), lsn);
    }

    /// <summary>Any session may write a message of this name: one without a valid time still counts as a heartbeat.</summary>
    private static long? TimeIn(ReadOnlySpan<byte> heartbeat) =>
        heartbeat.Length == sizeof(long)
        && BinaryPrimitives.ReadInt64BigEndian(heartbeat) is >= 0 and < PostgresTime.EndMicros and var micros
            ? micros
            : null;

    private ValueTask CloseAsync(CancellationToken ct)
    {
        var ticket = _markedTicket;
        _markedTicket = null;
        if (ticket is ChunkTicket chunk)
            return CloseChunkAsync(chunk, ct);
        CloseFence((FenceTicket)ticket!);
        return ValueTask.CompletedTask;
    }

    /// <summary>After everything before its marker and before everything after it.</summary>
    private void CloseFence(FenceTicket ticket)
    {
        if (!ledger.TryClose(ticket))
            ticket.Fail("A transaction of too many keys to remember was streamed, and the source's snapshot may not see it.");
        else if (ticket.HasTooManyInFlight)
            ticket.Fail($"{ticket.InFlight.Count} keys were in flight.");
        else
            _batch.Add(
                new FenceChange
                {
                    Fence = ticket.Fence,
                    Marker = _markedAt,
                    InFlight = ticket.InFlight,
                    InFlightAll = ticket.InFlightAll,
                }
            );
    }

    /// <summary>
    /// A chunk's rows go here, after everything before its marker and before everything after it; or its range is reserved here.
    /// </summary>
    private async ValueTask CloseChunkAsync(ChunkTicket ticket, CancellationToken ct)
    {
        if (ledger.MistakenKey(ticket) is { } mistaken)
        {
            ledger.GiveUp(ticket);
            ticket.SetMistaken(mistaken);
            return;
        }
        if (!ledger.TryClose(ticket))
        {
            ticket.SetMarked(MarkerOutcome.ReadAgain);
            return;
        }
        var chunk = ticket.Chunk;
        chunk.First = new ChangePosition(generation, _markedAt, FirstChunkOrdinal);
        var beside = chunks.TryReserve(chunk);
        if (!beside)
            await AppendRowsAsync(ticket.Rows!.ChangesIn(chunk), ct);
        _batch.Add(new ChunkEndChange { Chunk = chunk });
        ticket.SetMarked(beside ? MarkerOutcome.Beside : MarkerOutcome.InStream);
        CrashPoint.Hit("after-marker");
    }

    private async ValueTask AppendRowsAsync(IEnumerable<RowChange> rows, CancellationToken ct)
    {
        foreach (var row in rows)
        {
            _batch.Add(row);
            if (_batch.Count >= BatchEvents || _batch.Bytes >= BatchBytes)
                await HandOverAsync(ct);
        }
    }

    private void AppendTableStates()
    {
        while (_tableStates.TryDequeue(out var state))
        {
            // Above everything streamed so far, so that a restart neither repeats nor skips it; and above the change itself, which the
            // stream may not have come to: rows from before it are not whole.
            var position = new ChangePosition(generation, Lsn.Max(new Lsn(_streamed.Value + 1), state.SeenAt), 0);
            if (state.Fingerprint is { } fingerprint)
            {
                // Rows that were streamed while it was stopped are not applied, and may not be visible yet.
                ledger.Skipped(state.Entity);
                mapper.GoOn(state.Entity, fingerprint);
            }
            else
                mapper.Relations.Stop(state.Entity);
            _batch.Add(
                new TableStateChange
                {
                    Entity = state.Entity,
                    Position = position,
                    StopReason = state.StopReason,
                    Fingerprint = state.Fingerprint,
                    Applied = state.Applied,
                }
            );
        }
    }

    private async Task RestAsync(CancellationToken either, CancellationToken ct)
    {
        await HandOverAsync(ct);
        await Task.Delay(Rest, either);
        _readSinceRest = 0;
    }

    private async ValueTask HandOverAsync(CancellationToken ct)
    {
        if (_batch.Count == 0)
            return;
        var batch = _batch;
        _batch = new ChangeBatch();
        await log.AppendAsync(batch, ct);
        CrashPoint.Hit("after-append");
    }
}
