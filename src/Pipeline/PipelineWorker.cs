using Cdc.Capture;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Engine.Tables;
using Cdc.Log.Kafka;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Pipeline;

/// <summary>
/// Owns retry, stop and standby: the loops only throw. Transient failures are retried with growing pauses; a slot that another
/// process holds is waited for; a declared gap is recorded. That and whatever else needs a person ends the process where the pipeline is all
/// that it has; beside an Api it is looked at again and again, so that the pipeline continues when the person is done. A defect ends it.
/// </summary>
internal sealed class PipelineWorker(
    PipelineOptions options,
    IPipelineSession session,
    PipelineStatistics statistics,
    ILogger log,
    TimeProvider? clock = null
)
{
    /// <summary>A session after a failure that has lasted so long works, though there was nothing to do in it.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan StandbyPoll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SaidAgainAfter = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ProgressPoll = TimeSpan.FromMilliseconds(200);

    private readonly TimeProvider _time = clock ?? TimeProvider.System;
    private readonly SourceOptions _source = options.Source;
    private int _failures;
    private bool _standby;
    private string? _stoppedBy;
    private string? _lookedAt;
    private bool _looksAtOnce;
    private DateTimeOffset? _pausedUntil;
    private string? _saidLast;
    private long _saidAt;

    /// <summary>Returns when <paramref name="stop"/> was asked for.</summary>
    /// <exception cref="CdcException">Typed, with its remedy.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var retry = statistics.AddWorker();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await SessionAsync(retry, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // A new failure, not the one before: the pauses start again.
                if (session.HasProgressed)
                    _failures = 0;
                var pause = await PauseAfterAsync(e, retry, stop);
                await Task.Delay(pause, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                retry.TriesAgain();
            }
        }
    }

    private async Task SessionAsync(WorkerRetry retry, CancellationToken stop)
    {
        using var ended = new CancellationTokenSource();
        var settling = Task.CompletedTask;
        try
        {
            await session.RunAsync(Started, stop);
        }
        finally
        {
            await ended.CancelAsync();
            await settling;
        }

        // That a session has begun says nothing of what the last one failed at: it may come to the same row.
        void Started()
        {
            if (retry.State == RetryState.Working)
                Works(retry);
            else
                settling = WorksWhenSettledAsync(retry, ended.Token);
        }
    }

    private async Task WorksWhenSettledAsync(WorkerRetry retry, CancellationToken ended)
    {
        var begun = _time.GetTimestamp();
        while (!session.HasProgressed && _time.GetElapsedTime(begun) < Settled)
        {
            await Task.Delay(ProgressPoll, _time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested)
                return;
        }
        Works(retry);
    }

    private void Works(WorkerRetry retry)
    {
        if (_stoppedBy is not null || _pausedUntil is not null || _saidLast is not null)
            PipelineLog.WorksAgain(log);
        (_stoppedBy, _pausedUntil, _saidLast) = (null, null, null);
        retry.Works();
    }

    private async Task<TimeSpan> PauseAfterAsync(Exception e, WorkerRetry retry, CancellationToken ct)
    {
        // Twice in a row would be no pause at all, where each failure has other words.
        var mayLookAtOnce = !_looksAtOnce;
        _looksAtOnce = false;
        try
        {
            return await HandleAsync(e, retry, ct);
        }
        catch (CdcException failure) when (NeedsAPerson(failure))
        {
            retry.Stops(failure);
            session.LookAgain();
            // At once, and before it is said: the check may know what the server has refused, and the SQL that mends it. Not for what comes
            // back though sessions work in between, which would be a loop.
            if (mayLookAtOnce && failure.Message != _lookedAt && MayBeKnown(failure))
            {
                (_looksAtOnce, _lookedAt) = (true, failure.Message);
                return TimeSpan.Zero;
            }
            if (!options.WaitsForPeople)
                throw;
            // Once: it is looked at every few seconds, perhaps for days.
            if (_stoppedBy != failure.Message)
                PipelineLog.StandsStill(log, failure.Kind, failure.Message, failure.Remedy, LongestPause.TotalSeconds);
            _stoppedBy = failure.Message;
            return LongestPause;
        }
    }

    /// <summary>A process that ends by it looks where the check can say more: a refused login, or a wrong setting, says all itself.</summary>
    private bool MayBeKnown(CdcException failure) =>
        failure is not (FindingsException or DeclaredGapException)
        && (options.WaitsForPeople || failure.Kind is FailureKind.Preflight or FailureKind.Migration);

    private bool NeedsAPerson(CdcException failure) =>
        failure.Kind switch
        {
            FailureKind.DeclaredGap => !_source.ExitOnGap,
            FailureKind.Configuration or FailureKind.Preflight or FailureKind.Migration => true,
            _ => false,
        };

    /// <summary>How long to wait before the next session; throws what waiting does not fix.</summary>
    private async Task<TimeSpan> HandleAsync(Exception e, WorkerRetry retry, CancellationToken ct)
    {
        if (e is PausedException { Pause: var pause })
            return LetGo(pause, retry);
        if (IsSlotHeld(e))
            return StandBy(retry);
        _standby = false;
        var failure = await ExplainAsync(e, ct);
        // Log the stack trace here: the typed failure does not carry it.
        if (failure is null or { Kind: FailureKind.Unexpected })
            PipelineLog.Unexpected(log, e);
        statistics.Failed(failure?.Kind ?? FailureKind.Unexpected);
        switch (failure)
        {
            case null:
                throw new CdcException(
                    FailureKind.Unexpected,
                    $"The pipeline failed: {e.Message}",
                    "This is a defect: report it with the log.",
                    e
                );
            // Accepting makes the slot anew, and this one may feed another engine. Nothing is followed in which it could be recorded.
            case DeclaredGapException { GapKind: not GapKinds.SlotForeign } gap:
                return await DeclareAsync(gap, retry, ct);
            case FencedException:
                PipelineLog.Fenced(log, failure.Message);
                return StandbyPoll;
            case { Kind: FailureKind.Unavailable }:
                return Pause(failure, retry);
            default:
                throw failure;
        }
    }

    private async Task<CdcException?> ExplainAsync(Exception e, CancellationToken ct) =>
        e switch
        {
            CdcException typed => typed,
            EngineException engineFailed => engineFailed.Failure,
            _ => KafkaFailure.Explain(e) ?? await CaptureSession.ExplainAsync(_source, e, ct),
        };

    /// <summary>The engine is asked again and again; the source is not touched.</summary>
    private TimeSpan LetGo(SourcePause pause, WorkerRetry retry)
    {
        // That it was asked to is no failure.
        retry.Works();
        if (_pausedUntil != pause.Until)
            PipelineLog.LetGo(log, pause.UntilText, pause.By);
        _pausedUntil = pause.Until;
        return StandbyPoll;
    }

    private TimeSpan StandBy(WorkerRetry retry)
    {
        retry.StandsBy();
        if (!_standby)
            PipelineLog.StandBy(log, _source.SlotName);
        _standby = true;
        return StandbyPoll;
    }

    private TimeSpan Pause(CdcException failure, WorkerRetry retry)
    {
        var pause = TimeSpan.FromMilliseconds(Math.Min(LongestPause.TotalMilliseconds, 200 * Math.Pow(2, Math.Min(_failures, 10))));
        _failures++;
        retry.Waits(failure);
        if (IsReadOnly(failure))
            session.LookAgain();
        // The same failure may go on for days: it is said again only from time to time, or when a session got somewhere in between.
        if (failure.Message != _saidLast || session.HasProgressed || Environment.TickCount64 - _saidAt > SaidAgainAfter.TotalMilliseconds)
        {
            (_saidLast, _saidAt) = (failure.Message, Environment.TickCount64);
            PipelineLog.TryAgain(log, failure.Message, failure.Remedy, pause.TotalSeconds);
        }
        return pause;
    }

    /// <summary>A server that is down just now is waited for: the next session finds the same gap.</summary>
    private async Task<TimeSpan> DeclareAsync(DeclaredGapException gap, WorkerRetry retry, CancellationToken ct)
    {
        try
        {
            return await AcceptAsync(gap, ct);
        }
        catch (Exception e) when (e is not (CdcException or OperationCanceledException))
        {
            if (await ExplainAsync(e, ct) is not { } failure)
                throw;
            return failure.Kind == FailureKind.Unavailable ? Pause(failure, retry) : throw failure;
        }
    }

    private async Task<TimeSpan> AcceptAsync(DeclaredGapException gap, CancellationToken ct)
    {
        if (
            session.Generation is { } generation
            && !await new SourceTable(options.Engine).DeclareGapAsync(generation, gap.GapKind, gap.Message, ct)
        )
        {
            // A reset dropped this session's slot: its failure is not a gap of the new generation.
            PipelineLog.Fenced(log, gap.Message);
            return StandbyPoll;
        }
        if (!_source.AcceptGaps)
            throw gap;
        PipelineLog.GapAccepted(log, gap.GapKind, gap.Message);
        await session.AcceptGapAsync(ct);
        return TimeSpan.Zero;
    }

    /// <summary>What makes it so, and the SQL that ends it, the check says.</summary>
    private static bool IsReadOnly(CdcException failure) =>
        (failure.InnerException as PostgresException ?? failure.InnerException?.InnerException as PostgresException)
            is { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction };

    private static bool IsSlotHeld(Exception e) =>
        e is PostgresException { SqlState: PostgresErrorCodes.ObjectInUse }
        || (e is CdcException { InnerException: PostgresException { SqlState: PostgresErrorCodes.ObjectInUse } });
}
