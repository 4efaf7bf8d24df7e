using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Progress;

namespace Cdc.Capture;

/// <summary>Confirms to the source what the engine has: written down and flushed there first, and only ever forward.</summary>
internal sealed class FeedbackLoop(TimeSpan interval, IAppliedProgress progress, ReplicationSource source)
{
    private Lsn _confirmed;

    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(interval);
        while (await timer.WaitForNextTickAsync(ct))
            await ConfirmAsync(ct);
    }

    private async Task ConfirmAsync(CancellationToken ct)
    {
        var through = progress.Through;
        if (through <= _confirmed)
            return;
        CrashPoint.Hit("before-written");
        await progress.RecordWrittenAsync(through, ct);
        CrashPoint.Hit("after-written");
        await source.ConfirmAsync(through, ct);
        CrashPoint.Hit("after-confirm");
        _confirmed = through;
    }
}
