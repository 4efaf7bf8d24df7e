using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Engine.Fences;
using Cdc.Engine.Tables;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Fences;

/// <summary>
/// One attempt, in its order: announce; when Capture forgets no more keys, the source's snapshot; when Apply holds at the marker, the
/// engine's snapshot; and it counts only if Apply was still holding then. Opens both connections, and owns them until they are taken.
/// </summary>
internal sealed class FenceAttempt(NpgsqlConnection source, NpgsqlConnection engine, EntityDeclaration entity, TimeSpan timeout)
    : IAsyncDisposable
{
    /// <summary>Share of an attempt's time after which it checks why no pipeline has taken the fence up.</summary>
    private const double PickUpShare = 0.3;

    private FencedSnapshots? _opened;
    private long _fence;
    private bool _taken;

    /// <param name="asking">A connection to the engine, beside the one of the snapshot.</param>
    /// <returns>Null: both snapshots are open.</returns>
    public async Task<BrokenFence?> RunAsync(NpgsqlConnection asking, KeyRange range, CancellationToken ct)
    {
        await source.OpenPinnedAsync(ct);
        await engine.OpenPinnedAsync(ct);
        await EngineReading.WarmAsync(engine, entity, ct);
        await using var row = await FenceRow.AnnounceAsync(asking, entity, range, timeout, ct);
        _fence = row.Id;
        try
        {
            var broken = await OpenAsync(row, asking, ct);
            if (broken is not null)
                await row.BreakAsync(broken.Reason, broken.Detail, ct);
            return broken;
        }
        catch (Exception e) when (asking.State == System.Data.ConnectionState.Open)
        {
            // Apply need not hold for this attempt any more.
            await row.BreakAsync(FenceReasons.GivenUp, $"The requester failed: {e.GetType().Name}.", CancellationToken.None);
            throw;
        }
    }

    /// <summary>What was opened is the caller's from here on.</summary>
    /// <param name="end">Called with the fence's id when it is disposed.</param>
    public FencedSnapshots Take(Func<long, Task> end)
    {
        _taken = true;
        _opened!.Ended = () => end(_fence);
        return _opened;
    }

    public async ValueTask DisposeAsync()
    {
        if (_taken)
            return;
        await source.DisposeAsync();
        await engine.DisposeAsync();
    }

    private async Task<BrokenFence?> OpenAsync(FenceRow row, NpgsqlConnection asking, CancellationToken ct)
    {
        if (await ArmedAsync(row, asking, ct) is { } notArmed)
            return notArmed;
        var (reading, locked) = await ReadSourceAsync(ct);
        if (reading is null)
            return locked;
        if (!await row.ReadAsync(reading.Snapshot, ct) || await row.UntilAsync(FenceState.Reached, ct) is not null)
            return await WhyAsync(row, ct);
        // Apply holds from here on.
        var shown = await EngineReading.BeginAsync(engine, entity, ct);
        if (!await row.OpenAsync(ct))
            return await WhyAsync(row, ct);
        var result = await row.ResultAsync(ct);
        var inFlight = new InFlightKeys(result.AllInFlight, result.InFlight.ToHashSet());
        _opened = new FencedSnapshots(source, engine, inFlight, result.Generation, result.Marker);
        return Comparability.Refuse(reading, shown, entity, result.Generation);
    }

    private async Task<BrokenFence?> ArmedAsync(FenceRow row, NpgsqlConnection asking, CancellationToken ct)
    {
        if (await row.UntilAsync(FenceState.Armed, timeout * PickUpShare, ct) is not { } late)
            return null;
        if (
            late is { State: FenceState.Announced, Reason: null }
            && await PipelineProbe.NotRunningAsync(asking, source, ct) is { } notRunning
        )
            return notRunning;
        return await row.UntilAsync(FenceState.Armed, ct) is null ? null : await WhyAsync(row, ct);
    }

    /// <summary>Why it is broken, or got no further.</summary>
    private static async Task<BrokenFence> WhyAsync(FenceRow row, CancellationToken ct) => BrokenFence.Of(await row.StateAsync(ct));

    private async Task<(SourceReading? Reading, BrokenFence? Locked)> ReadSourceAsync(CancellationToken ct)
    {
        try
        {
            return (await SourceReading.BeginAsync(source, entity, ct), null);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            return (null, new BrokenFence(FenceReasons.Locked, $"{entity.SourceName} is locked by another session and cannot be read."));
        }
        catch (PostgresException e) when (TableAccess.IsOfTable(e))
        {
            throw TableException.Of(Server.Source, entity, e);
        }
    }
}
