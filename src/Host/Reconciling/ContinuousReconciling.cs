using Cdc.Core.Entities;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Requests;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Host.Reconciling;

/// <summary>Gives the comparison beside the pipeline its parts.</summary>
internal static class ContinuousReconciling
{
    /// <summary>Returns when <paramref name="ct"/> is cancelled.</summary>
    public static async Task RunAsync(CdcOptions options, EntitySet entities, ILoggerFactory loggers, CancellationToken ct)
    {
        await using var source = Database.Source(options.Source.ConnectionString);
        await using var engine = Database.Engine(options.Engine.ConnectionString);
        // Each attempt has its own time-out, and an alert is never redirected to another address.
        using var webhook = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
        var log = loggers.CreateLogger("Cdc.Reconcile");
        var worker = new ContinuousWorker(
            new ComparedServers(
                source.Connections,
                engine.Connections,
                new FenceGate(options.Source.ConnectionString, options.Engine.ConnectionString, options.Fence),
                entities
            ),
            new KeyReads(options.Engine.ConnectionString, log),
            new ContinuousSettings(options.Reconcile, options.Continuous, options.Alerts, options.Engine.DeleteLimit),
            webhook,
            TimeProvider.System,
            log
        );
        var hold = new SourceHold(engine);
        while (!ct.IsCancellationRequested)
        {
            using var allowed = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var compared = worker.RunAsync(allowed.Token);
            await hold.UntilPausedAsync(ct);
            await allowed.CancelAsync();
            await compared;
            await hold.UntilResumedAsync(Release, ct);
        }

        // Fences have pools of their own.
        void Release()
        {
            source.Release();
            NpgsqlConnection.ClearAllPools();
        }
    }
}
