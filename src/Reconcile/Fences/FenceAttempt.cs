using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Engine.Fences;
using Cdc.Engine.Tables;
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
        await source.OpenPinnedAsync(ct).ConfigureAwait(false);
        await engine.OpenPinnedAsync(ct).ConfigureAwait(false);
        await EngineReading.WarmAsync(engine, entity, ct).ConfigureAwait(false);
        await using var row = await FenceRow.AnnounceAsync(asking, entity, range, timeout, ct).ConfigureAwait(false);
        _fence = row.Id;
        try
        {
            var broken = await OpenAsync(row, asking, ct).ConfigureAwait(false);
            if (broken is not null)
                await row.BreakAsync(broken.Reason, broken.Detail, ct).ConfigureAwait(false);
            return broken;
        }
        catch (Exception e) when (asking.State == System.Data.ConnectionState.Open)
        {
            // Apply need not hold for this attempt any more.
            await row.BreakAsync(FenceReasons.GivenUp, $"The requester failed: {e.GetType().Name}.", CancellationToken.None)
                .ConfigureAwait(false);
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
        await source.DisposeAsync().ConfigureAwait(false);
        await engine.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<BrokenFence?> OpenAsync(FenceRow row, NpgsqlConnection asking, CancellationToken ct)
    {
        if (await ArmedAsync(row, asking, ct).ConfigureAwait(false) is { } notArmed)
            return notArmed;
        var (reading, locked) = await ReadSourceAsync(ct).ConfigureAwait(false);
        if (reading is null)
            return locked;
        if (
            !await row.ReadAsync(reading.Snapshot, ct).ConfigureAwait(false)
            || await row.UntilAsync(FenceState.Reached, ct).ConfigureAwait(false) is not null
        )
            return await WhyAsync(row, ct).ConfigureAwait(false);
        // Apply holds from here on.
        var shown = await EngineReading.BeginAsync(engine, entity, ct).ConfigureAwait(false);
        if (!await row.OpenAsync(ct).ConfigureAwait(false))
            return await WhyAsync(row, ct).ConfigureAwait(false);
        var result = await row.ResultAsync(ct).ConfigureAwait(false);
        var inFlight = new InFlightKeys(result.AllInFlight, result.InFlight.ToHashSet());
        _opened = new FencedSnapshots(source, engine, inFlight, result.Generation, result.Marker);
        return Comparability.Refuse(reading, shown, entity, result.Generation);
    }

    private async Task<BrokenFence?> ArmedAsync(FenceRow row, NpgsqlConnection asking, CancellationToken ct)
    {
        if (await row.UntilAsync(FenceState.Armed, timeout * PickUpShare, ct).ConfigureAwait(false) is not { } late)
            return null;
        if (
            late is { State: FenceState.Announced, Reason: null }
            && await PipelineProbe.NotRunningAsync(asking, source, ct).ConfigureAwait(false) is { } notRunning
        )
            return notRunning;
        return await row.UntilAsync(FenceState.Armed, ct).ConfigureAwait(false) is null
            ? null
            : await WhyAsync(row, ct).ConfigureAwait(false);
    }

    /// <summary>Why it is broken, or got no further.</summary>
    private static async Task<BrokenFence> WhyAsync(FenceRow row, CancellationToken ct) =>
        BrokenFence.Of(await row.StateAsync(ct).ConfigureAwait(false));

    private async Task<(SourceReading? Reading, BrokenFence? Locked)> ReadSourceAsync(CancellationToken ct)
    {
        try
        {
            return (await SourceReading.BeginAsync(source, entity, ct).ConfigureAwait(false), null);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            return (null, new BrokenFence(FenceReasons.Locked, $"{entity.SourceName} is locked by another session and cannot be read."));
        }
    }
}
