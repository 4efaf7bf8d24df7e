using Cdc.Core.Telemetry;
using Cdc.Pipeline;

namespace Cdc.Tests.Support.Pipeline;

/// <summary>The pipeline as <c>cdc run</c> connects it, in this process.</summary>
public sealed class InProcessPipeline : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _streaming = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _running;

    private InProcessPipeline(PipelineBed bed)
    {
        var options = new PipelineOptions
        {
            Source = bed.SourceOptions,
            Engine = bed.EngineOptions,
            Snapshot = bed.SnapshotOptions,
            Log = bed.LogOptions,
        };
        _running = Task.Run(() =>
            Cdc.Pipeline.InProcessPipeline.RunAsync(
                options,
                bed.Entities,
                Statistics,
                bed.Log,
                _stop.Token,
                () => _streaming.TrySetResult()
            )
        );
    }

    public PipelineStatistics Statistics { get; } = new();

    /// <summary>Completes when the slot is held for the first time.</summary>
    public Task Streaming => _streaming.Task;

    /// <summary>Ends when it was stopped, or with what stopped it.</summary>
    public Task Completion => _running;

    internal static InProcessPipeline Start(PipelineBed bed) => new(bed);

    /// <summary>Asks it to drain, and waits for the end; throws what it failed with.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>The same, whatever it failed with.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}
