using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Odoo;
using Cdc.Odoo.Failures;
using Cdc.Odoo.Sequence;
using Cdc.Reverse.Sending;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Reverse;

/// <summary>What the way back is configured with.</summary>
public sealed record ReverseSettings(ReverseOptions Reverse, OdooOptions Odoo, EngineOptions Engine);

/// <summary>
/// Sends the engine's own changes to Odoo for as long as it runs: life and retry. Any number of processes share the work; safety is Odoo's
/// card, which has the number of the last change that it contains.
/// </summary>
public sealed class ReverseWorker
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    private readonly ReverseSettings _settings;
    private readonly SentFields _fields;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Guid _worker = Guid.NewGuid();
    private string? _failing;

    /// <summary>What is said while nothing is sent; null: a session sends, and speaks for itself.</summary>
    private volatile WorkerState? _failed;

    /// <exception cref="CdcException">Configuration: the declaration or the settings do not fit the way "sequence".</exception>
    public ReverseWorker(ReverseSettings settings, EntitySet entities, TimeProvider time, ILogger log)
    {
        (_settings, _fields, _time, _log) = (settings, SentFields.Of(entities), time, log);
        if (settings.Odoo.Action == 0)
            throw new CdcException(
                FailureKind.Configuration,
                "Odoo:Action is missing: it is not known which server action applies changes.",
                "Run 'cdc reverse install' once, with an administrator's key, and set Odoo:Action to what it prints."
            );
    }

    /// <summary>Returns when <paramref name="ct"/> is cancelled. What fails is said, and tried again.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var beating = BeatAsync(ending.Token);
        while (!ct.IsCancellationRequested)
            try
            {
                await SessionAsync(ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                // As asked.
            }
            // Also a defect of cdc: it must not take the pipeline with it.
            catch (Exception e)
            {
                await SayAsync(e, ct);
                await Task.Delay(Pause, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        await ending.CancelAsync();
        await beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ForgetAsync();
    }

    /// <summary>Whether Odoo can be called, and its action answers: what fails at the start needs a person.</summary>
    public async Task RequireAsync(CancellationToken ct)
    {
        using var odoo = await ConnectAsync(ct);
    }

    private async Task SessionAsync(CancellationToken ct)
    {
        using var odoo = await ConnectAsync(ct);
        ReverseLog.Sending(_log, odoo.Version.ToString(), _settings.Odoo.Action);
        _failing = null;
        var history = odoo.Version.HasHistory ? _settings.Reverse.HistoryText : "";
        var sender = new CardSender(new SequenceCalls(odoo, _settings.Odoo.Action), history);
        var engine = await EngineConnection.OnPrimaryAsync(_settings.Engine, ct);
        await using var session = await SendSession.OpenAsync(engine, _fields, ct);
        await using var listener = await ChangeListener.OpenAsync(engine, ct);
        _failed = null;
        var pace = new ReversePace(_worker, _settings.Odoo.ParallelCalls, _time, _log);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var listening = listener.RunAsync(ending.Token);
        var looping = new ReverseLoop(_settings.Reverse, session, sender, listener, pace).RunAsync(ending.Token);
        var first = await Task.WhenAny(listening, looping);
        await ending.CancelAsync();
        await Task.WhenAll(listening, looping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    private async Task<OdooClient> ConnectAsync(CancellationToken ct)
    {
        var odoo = await OdooClient.ConnectAsync(_settings.Odoo, _time, _log, ct);
        try
        {
            await new SequenceCalls(odoo, _settings.Odoo.Action).ProbeAsync(ct);
            return odoo;
        }
        catch
        {
            odoo.Dispose();
            throw;
        }
    }

    private async Task SayAsync(Exception failure, CancellationToken ct)
    {
        var known = failure as CdcException ?? ServerFailure.Of(Server.Engine, failure)?.ToException(failure);
        // The same again is said once.
        if (_failing == (known?.Message ?? failure.Message))
            return;
        _failing = known?.Message ?? failure.Message;
        if (known is null)
            ReverseLog.Defect(_log, failure, Pause.TotalSeconds);
        else
            ReverseLog.Stopped(_log, known.Message, known.Remedy, Pause.TotalSeconds);
        var state = known is OdooException { Class: FailureClass.Transient } or { Kind: FailureKind.Unavailable } ? "waiting" : "stopped";
        var failed = new WorkerState(
            _worker,
            state,
            (known as OdooException)?.Code,
            known?.Message ?? failure.Message,
            known?.Remedy ?? "This is a defect: report it with cdc's log."
        );
        _failed = failed;
        await OnEngineAsync(c => failed.WriteAsync(c, ct), ct);
    }

    /// <summary>A process that stands still is heard of all the same: who is silent is taken for dead, and nobody is called.</summary>
    private async Task BeatAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(Beat, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_failed is { } failed && !ct.IsCancellationRequested)
                await OnEngineAsync(c => failed.WriteAsync(c, ct), ct);
        }
    }

    private Task ForgetAsync() => OnEngineAsync(c => WorkerState.ForgetAsync(c, _worker, CancellationToken.None), CancellationToken.None);

    /// <summary>What a process says of itself is worth no failure.</summary>
    private async Task OnEngineAsync(Func<NpgsqlConnection, Task> write, CancellationToken ct)
    {
        try
        {
            await using var connection = await EngineConnection.OpenAsync(_settings.Engine, EngineRole.Reverse, ct);
            await write(connection);
        }
        catch (Exception e) when (e is NpgsqlException or CdcException or IOException or TimeoutException or OperationCanceledException)
        {
            // The engine is away, or the process ends.
        }
    }
}
