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
/// process holds is waited for; a declared gap is recorded and stops the process; anything else stops it at once.
/// </summary>
internal sealed class PipelineWorker(
    SourceOptions source,
    EngineOptions engine,
    IPipelineSession session,
    PipelineStatistics statistics,
    ILogger log
)
{
    private static readonly TimeSpan StandbyPoll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private int _failures;
    private bool _standby;

    /// <summary>Returns when <paramref name="stop"/> was asked for.</summary>
    /// <exception cref="CdcException">Typed, with its remedy.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var retry = statistics.AddWorker();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await session.RunAsync(() => retry.State = RetryState.Working, stop);
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
                var pause = await HandleAsync(e, retry, stop);
                await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (retry.State == RetryState.Waiting)
                    retry.State = RetryState.Retrying;
            }
        }
    }

    /// <summary>How long to wait before the next session; throws what waiting does not fix.</summary>
    private async Task<TimeSpan> HandleAsync(Exception e, WorkerRetry retry, CancellationToken ct)
    {
        if (IsSlotHeld(e))
            return StandBy();
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
            case DeclaredGapException gap:
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
            _ => KafkaFailure.Explain(e) ?? await CaptureSession.ExplainAsync(source, e, ct),
        };

    private TimeSpan StandBy()
    {
        if (!_standby)
            PipelineLog.StandBy(log, source.SlotName);
        _standby = true;
        return StandbyPoll;
    }

    private TimeSpan Pause(CdcException failure, WorkerRetry retry)
    {
        var pause = TimeSpan.FromMilliseconds(Math.Min(LongestPause.TotalMilliseconds, 200 * Math.Pow(2, Math.Min(_failures, 10))));
        _failures++;
        retry.State = RetryState.Waiting;
        PipelineLog.TryAgain(log, failure.Message, failure.Remedy, pause.TotalSeconds);
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
            && !await new SourceTable(engine).DeclareGapAsync(generation, gap.GapKind, gap.Message, ct)
        )
        {
            // A reset dropped this session's slot: its failure is not a gap of the new generation.
            PipelineLog.Fenced(log, gap.Message);
            return StandbyPoll;
        }
        if (!source.AcceptGaps)
            throw gap;
        PipelineLog.GapAccepted(log, gap.GapKind, gap.Message);
        await session.AcceptGapAsync(ct);
        return TimeSpan.Zero;
    }

    private static bool IsSlotHeld(Exception e) =>
        e is PostgresException { SqlState: PostgresErrorCodes.ObjectInUse }
        || (e is CdcException { InnerException: PostgresException { SqlState: PostgresErrorCodes.ObjectInUse } });
}
