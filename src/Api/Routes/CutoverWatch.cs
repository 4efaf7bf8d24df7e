using System.Diagnostics.Metrics;
using Cdc.Api.Engine;
using Cdc.Api.Metrics;
using Cdc.Cutover.Phases;
using Microsoft.Extensions.Logging;

namespace Cdc.Api.Routes;

/// <summary>Looks at the triggers of the running plan, in every process that serves reads: whoever is first takes a scope back.</summary>
internal sealed class CutoverWatch
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly EngineReads _engine;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private volatile RunningPlan? _running;

    public CutoverWatch(EngineReads engine, TimeProvider time, ILogger log, ApiMeter meter)
    {
        (_engine, _time, _log) = (engine, time, log);
        meter.Meter.CreateObservableGauge(
            "cdc.cutover.tripped",
            () =>
                _running?.Scopes.Select(s => new Measurement<long>(
                    s.IsTripped ? 1 : 0,
                    new KeyValuePair<string, object?>("scope", s.Scope.Name)
                )) ?? [],
            null,
            "1 for a scope that a trigger took back, until somebody releases it."
        );
    }

    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await LookAsync(ct);
            await Task.Delay(Interval, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        try
        {
            var watched = await _engine.UseAsync(c => CutoverDesk.WatchAsync(c, ct), ct);
            _running = watched?.Running;
            foreach (var state in watched?.Tripped ?? [])
                _log.ScopeTripped(state.Scope.Name, state.Held!);
        }
        catch (EngineUnavailableException)
        {
            // Odoo answers meanwhile. What is not known is not shown.
            _running = null;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The process ends.
        }
        catch (Exception e)
        {
            // Such as a plan of a newer version: it must not end the watch.
            _log.WatchFailed(e);
        }
    }
}
