using Cdc.Apply;
using Cdc.Capture;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Log.InProcess;
using Cdc.Pipeline.Setup;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline.Sessions;

/// <summary>
/// One session of the pipeline over the in-process log: the source's side, the log and the engine's side begin together, and the first that
/// fails ends all of them. So a log never holds half a transaction of a session that is gone.
/// </summary>
internal sealed class PipelineSession(
    PipelineOptions options,
    EntitySet entities,
    Preconditions preconditions,
    SourceSetup setup,
    PipelineStatistics statistics,
    ILogger log
) : IPipelineSession
{
    private readonly PauseGate _gate = new(options.Engine);
    private readonly EngineTableWatch _tables = new(entities, log);

    /// <summary>Called when the slot is this session's and rows flow.</summary>
    public Action Started { get; init; } = () => { };

    private volatile EngineSession? _engine;

    public bool HasProgressed => _engine is { } engine && engine.Progress.Through > engine.Resume.Through;

    public void LookAgain() => preconditions.Again();

    public int? Generation => setup.Generation;

    public Task AcceptGapAsync(CancellationToken ct) => setup.BeginGenerationAsync(ct);

    /// <summary>Returns when <paramref name="stop"/> was asked for and everything captured so far is applied.</summary>
    public async Task RunAsync(Action started, CancellationToken stop)
    {
        _engine = null;
        await _gate.RequireOpenAsync(stop);
        await preconditions.CheckAsync(stop);
        await using var capture = await CaptureSession.ConnectAsync(options.Source, options.Snapshot, entities, log, stop);
        await setup.PrepareAsync(capture, stop);
        await capture.AcquireSlotAsync(stop);
        await using var apply = await EngineSession.OpenAsync(options.Engine, _tables, statistics, log, stop);
        _engine = apply;
        started();
        Started();
        await StreamAsync(capture, apply, stop);
    }

    private async Task StreamAsync(CaptureSession capture, EngineSession apply, CancellationToken stop)
    {
        using var channel = new InProcessLog(options.Log.MaxBytes, statistics);
        using var failed = new CancellationTokenSource();
        var seams = new CaptureSeams(
            apply.Resume,
            apply.Tables,
            apply.Progress,
            apply.ChunkQueue,
            apply.ChunkSink,
            apply.Fences,
            channel,
            statistics
        );
        var applying = Task.Run(() => apply.RunAsync(channel, failed.Token), CancellationToken.None);
        var capturing = Task.Run(
            () => capture.RunAsync(seams, options.Engine.FeedbackInterval, stop, failed.Token),
            CancellationToken.None
        );
        var first = await Task.WhenAny(applying, capturing);
        if (first == capturing && capturing.IsCompletedSuccessfully)
        {
            apply.CaptureEnded();
            channel.Close();
            await applying;
            return;
        }
        await TaskGroup.EndAsync(failed, first, applying, capturing);
    }
}
