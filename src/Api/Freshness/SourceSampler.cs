using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Microsoft.Extensions.Logging;

namespace Cdc.Api.Freshness;

/// <summary>Feeds the <see cref="FreshnessClock"/> from the source. While the source is down, answers grow older and say so.</summary>
internal sealed class SourceSampler(ISourceClock source, FreshnessClock clock, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(2);

    public async Task RunAsync(CancellationToken ct)
    {
        var failing = false;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                clock.Add(await source.ReadAsync(ct));
                failing = false;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                if (!failing)
                    ApiLog.SourceUnreadable(log, e is CdcException known ? known.Message : e.GetType().Name);
                failing = true;
            }
            await Task.Delay(failing ? AfterFailure : Interval, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
