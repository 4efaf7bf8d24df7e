using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Runs;

/// <summary>A slice was compared; the numbers are those of its entity so far.</summary>
public sealed record ReconcileProgress(long Run, string Entity, SliceNumbers Numbers, long? UpTo);

/// <summary>
/// Compares source and engine as requested, and records the result in the engine. A run that was killed resumes when the
/// same request comes again; one that fails says so, and is never consistent.
/// </summary>
/// <param name="lockTimeout">How long to wait for another run.</param>
public sealed class Reconciler(
    ComparedServers servers,
    ReconcileOptions options,
    IProgress<ReconcileProgress>? progress = null,
    TimeSpan lockTimeout = default
)
{
    /// <summary>For queries of the engine outside of fences; null: no pauses.</summary>
    internal Pace? Pace { get; init; }

    /// <returns>The run's id.</returns>
    /// <exception cref="CdcException">The run failed; it is recorded as such.</exception>
    public async Task<long> RunAsync(RunRequest request, CancellationToken ct)
    {
        await using var store = new RunStore(await servers.Engine.OpenConnectionAsync(ct));
        await store.LockAsync(lockTimeout, ct);
        var run = await store.BeginAsync(request, ct);
        try
        {
            await CompareAsync(store, run, request, ct);
            return run.Id;
        }
        // A run that is interrupted stays open: the same command goes on with it.
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            await RecordFailureAsync(run.Id, failure);
            throw;
        }
    }

    private async Task CompareAsync(RunStore store, OpenRun run, RunRequest request, CancellationToken ct)
    {
        await using var engine = await servers.Engine.OpenConnectionAsync(ct);
        var state = new RunState(request.Kind);
        foreach (var (name, done) in run.Done)
            state.Resume(name, done);
        var through = request.Kind == RunKind.Changed ? await CheckpointQueries.ThroughAsync(engine, ct) : null;
        foreach (var entity in request.Entities)
            if (await CompareOrLeaveOutAsync(store, engine, run, request, entity, state, ct) is { } why)
            {
                state.LeaveOut(entity.Name, why);
                await store.SaveLeftOutAsync(run.Id, entity.Name, ct);
            }
        if (request.Violations)
            await new OdooViolations(servers, engine, run.Id).RunAsync(state, ct);
        await store.FinishAsync(run.Id, state.Rows.Word, state.Unlisted > 0, state.Generation, state.Detail, through, ct);
    }

    /// <returns>Why it is left out; null: it was compared.</returns>
    private async Task<string?> CompareOrLeaveOutAsync(
        RunStore store,
        NpgsqlConnection engine,
        OpenRun run,
        RunRequest request,
        EntityDeclaration entity,
        RunState state,
        CancellationToken ct
    )
    {
        if (run.LeftOut.Contains(entity.Name))
            return $"{entity.Name}: it was left out before the run was interrupted. Compare it alone.";
        // Its rows are not applied: there is nothing to ask of either server. Nor would a fence say so where nothing has changed in the
        // engine, because then there is none.
        if (await SourceQueries.StopReasonAsync(engine, entity.Name, ct) is { } reason)
            return LeftOut.Stopped(entity.Name, reason);
        try
        {
            var spans = await SpansAsync(engine, run, request, entity, ct);
            await CompareAsync(store, run, request, entity, spans, state, ct);
            if (request.WithTotals)
                await SpotChecks.RunAsync(servers, engine, entity, run.Id, options, ct);
            return null;
        }
        catch (CdcException failure) when (LeftOut.IsOfOneTable(failure))
        {
            return await LeftOut.WhyAsync(servers, engine, entity, failure, ct);
        }
    }

    /// <summary>What is left to compare of an entity.</summary>
    private async Task<IReadOnlyList<KeySpan>> SpansAsync(
        NpgsqlConnection engine,
        OpenRun run,
        RunRequest request,
        EntityDeclaration entity,
        CancellationToken ct
    )
    {
        var range = KeySpan.Of(request.Range);
        if (run.Done.GetValueOrDefault(entity.Name) is { } done)
            return [range with { Low = done.Next }];
        if (request.Kind != RunKind.Changed)
            return [range];
        return await SourceQueries.GenerationAsync(engine, ct) is { } followed
            ? await TouchedPartitions.ReadAsync(engine, entity, followed, Pace, ct) ?? [range]
            : [range];
    }

    private async Task CompareAsync(
        RunStore store,
        OpenRun run,
        RunRequest request,
        EntityDeclaration entity,
        IReadOnlyList<KeySpan> spans,
        RunState state,
        CancellationToken ct
    )
    {
        var comparison = new EntityComparison(entity, servers, options, request.Since, request.WithTotals);
        var inFlight = new InFlightComparison(servers, entity, options);
        foreach (var span in spans)
        await foreach (var compared in comparison.CompareAsync(span, () => state.RoomFor(entity.Name, options.MaxDrift), ct))
        {
            // A window of rows, and a frozen Odoo, are looked at once.
            var slice = request is { Kind: not RunKind.SignOff, Since: null }
                ? await inFlight.LookAgainAsync(compared, state.RoomFor(entity.Name, options.MaxDrift), ct)
                : compared;
            var place = state.Add(entity.Name, slice);
            await store.SaveAsync(run.Id, entity.Name, place, slice, resolve: request.Since is null, ct);
            CrashPoint.Hit("reconcile-slice-saved");
            progress?.Report(new ReconcileProgress(run.Id, entity.Name, state.Of(entity.Name), slice.Span.ToRange().To));
        }
    }

    private async Task RecordFailureAsync(long run, Exception failure)
    {
        try
        {
            await using var connection = await servers.Engine.OpenConnectionAsync(CancellationToken.None);
            await RunStore.FailAsync(
                connection,
                run,
                failure is CdcException known ? known.Message : failure.GetType().Name,
                CancellationToken.None
            );
        }
        catch (NpgsqlException)
        {
            // The engine is gone. The run stays 'running' without a lock: the next one sees that it was killed.
        }
    }
}
