using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Engine.Snapshots;
using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Requests;
using Cdc.Reconcile.Runs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Reconcile.Continuous;

/// <summary>
/// Compares beside the pipeline for as long as it runs. Whatever fails is logged and tried again later: the pipeline does not depend on it.
/// </summary>
public sealed class ContinuousWorker
{
    /// <summary>Of one pass: one of each kind.</summary>
    private const int MostRuns = 3;

    private readonly ContinuousOptions _options;
    private readonly ContinuousRuns _runs;
    private readonly Schedule _schedule;
    private readonly AlertWatch _alerts;
    private readonly AlertDelivery _delivery;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private string? _failing;

    /// <param name="servers">Fences are of the pipeline of this process, or of any other.</param>
    /// <param name="reads">The same.</param>
    /// <param name="webhook">Sends alerts.</param>
    public ContinuousWorker(
        ComparedServers servers,
        KeyReads reads,
        ContinuousSettings settings,
        HttpClient webhook,
        TimeProvider time,
        ILogger log
    )
    {
        (_options, _time, _log, _schedule) = (settings.Continuous, time, log, new Schedule(settings.Continuous));
        var pace = new Pace(_options.LoadPercent, time);
        var paced = servers with { Fences = new PacedFence(servers.Fences, pace) };
        var sliced = settings.Reconcile with { SliceTime = _options.SliceTime };
        _alerts = new AlertWatch(servers.Engine, settings.Alerts, time, log);
        _delivery = new AlertDelivery(servers.Engine, settings.Alerts, webhook, time, log);
        _runs = new ContinuousRuns(
            paced,
            new Reconciler(paced, sliced) { Pace = pace },
            new Repair(paced, reads, sliced, settings.DeleteLimit),
            _alerts,
            _options
        );
    }

    /// <summary>Returns when <paramref name="ct"/> is cancelled; never throws.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        // A process that has just started first catches up.
        for (var wait = _options.Interval; !ct.IsCancellationRequested; wait = await PassAsync(ct))
            await Task.Delay(wait, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Does what is due, and delivers what has fired.</summary>
    /// <returns>How long to wait until the next pass.</returns>
    internal async Task<TimeSpan> PassAsync(CancellationToken ct)
    {
        try
        {
            var done = await DoDueAsync(ct);
            await _delivery.DeliverAsync(ct);
            if (done)
                _failing = null;
            return _schedule.Wait(_time.GetUtcNow(), await _runs.ServedAsync(ct)) is { Ticks: > 0 } wait ? wait : _options.Interval;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return TimeSpan.Zero;
        }
        // Also a defect of cdc: it must not take the pipeline with it.
        catch (Exception failure)
        {
            LogFailure(failure);
            return _options.Interval;
        }
    }

    /// <summary>False: it failed, and the failure is logged.</summary>
    private async Task<bool> DoDueAsync(CancellationToken ct)
    {
        if (!await _runs.IsReadyAsync(ct))
            return true;
        try
        {
            for (var i = 0; i < MostRuns && _schedule.Due(_time.GetUtcNow(), await _runs.ServedAsync(ct)) is { } due; i++)
                await _runs.RunAsync(due, ct);
            return true;
        }
        catch (CdcException busy) when (busy.Kind == FailureKind.Refused)
        {
            // A person's comparison, or another process's: it says the same.
            ReconcileLog.Skipped(_log, busy.Message);
            return true;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            await _alerts.PauseAsync(ct);
            LogFailure(failure);
            return false;
        }
    }

    /// <summary>The same failure again and again is one line.</summary>
    private void LogFailure(Exception failure)
    {
        var message = failure is CdcException ? failure.Message : $"{failure.GetType().Name}: {failure.Message}";
        if (_failing == message)
            return;
        _failing = message;
        if (failure is CdcException known)
            ReconcileLog.Failed(_log, message, known.Remedy, _options.Interval.TotalSeconds);
        else if (failure is NpgsqlException or TimeoutException or IOException)
            ReconcileLog.Failed(_log, message, "Check both servers ('cdc status').", _options.Interval.TotalSeconds);
        else
            ReconcileLog.Defect(_log, failure);
    }
}

/// <summary>The sections of the configuration that it follows.</summary>
/// <param name="DeleteLimit">What a repair may remove without a person.</param>
public sealed record ContinuousSettings(
    ReconcileOptions Reconcile,
    ContinuousOptions Continuous,
    AlertOptions Alerts,
    DeleteLimit DeleteLimit
);
