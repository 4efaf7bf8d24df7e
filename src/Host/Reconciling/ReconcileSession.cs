using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Requests;
using Cdc.Reconcile.Runs;
using Microsoft.Extensions.Logging;

namespace Cdc.Host.Reconciling;

/// <summary>
/// One comparison from a command line, and perhaps its repair: both servers, fences of the running pipeline, and progress on stderr.
/// </summary>
internal sealed class ReconcileSession(CdcOptions options, EntitySet entities, Terminal terminal, ILogger log, TimeProvider time)
    : IAsyncDisposable
{
    /// <summary>The comparison that <c>cdc run</c> makes every minute ends soon.</summary>
    private static readonly TimeSpan TimeOut = TimeSpan.FromMinutes(1);

    private readonly Database _source = Database.Source(options.Source.ConnectionString);
    private readonly Database _engine = Database.Engine(options.Engine.ConnectionString);
    private readonly FenceGate _gate = new(options.Source.ConnectionString, options.Engine.ConnectionString, options.Fence, time);

    /// <exception cref="CdcException">The run failed, or could not begin.</exception>
    public async Task<RunReport> CompareAsync(RunRequest request, int maxDrift, CancellationToken ct)
    {
        if (await new SourceHold(_engine).ReadAsync(ct) is { } pause)
            throw new PausedException(pause);
        // Checked now: a later failure would not say which of the two servers it was.
        await _source.UseAsync(_ => Task.CompletedTask, ct);
        await _engine.UseAsync(c => c.Statement("SELECT 1 FROM cdc.reconcile_runs LIMIT 0").RowsAsync(r => r.GetInt32(0), ct), ct);
        IFence fences = request.Kind == RunKind.SignOff ? new FrozenFence(_gate) : _gate;
        var reconciler = new Reconciler(Servers(fences), options.Reconcile, new ReconcileProgressLines(terminal), TimeOut);
        var run = await ExplainedAsync(() => reconciler.RunAsync(request, ct));
        return await _engine.UseAsync(c => ReportReader.ReadAsync(c, run, maxDrift, ct), ct);
    }

    /// <summary>Compares the run's differences a second time. Changes nothing.</summary>
    /// <exception cref="CdcException">It could not be compared.</exception>
    public Task<RepairPlan> PlanRepairAsync(long run, RunRequest request, CancellationToken ct) =>
        ExplainedAsync(() => Repair().PlanAsync(run, request, ct));

    /// <exception cref="CdcException">It could not be finished.</exception>
    public Task<RepairReport> RepairAsync(RepairPlan plan, CancellationToken ct) => ExplainedAsync(() => Repair().RunAsync(plan, ct));

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _engine.DisposeAsync();
    }

    private Repair Repair() =>
        new(
            Servers(_gate),
            new KeyReads(options.Engine.ConnectionString, log, time),
            options.Reconcile,
            options.Engine.DeleteLimit,
            TimeOut
        );

    private ComparedServers Servers(IFence fences) => new(_source.Connections, _engine.Connections, fences, entities);

    private async Task<T> ExplainedAsync<T>(Func<Task<T>> compare)
    {
        try
        {
            return await compare();
        }
        catch (Exception failure) when (ServerFailure.Of(Server.Either, failure) is { } known)
        {
            // Which of the two it was is not known: a lock in the engine may have nothing to do with it, and is said besides.
            var locked = await _engine.LockedAsync(failure);
            throw (locked is null ? known : known with { Remedy = $"{locked.Message} {known.Remedy}" }).ToException(failure);
        }
    }
}
