using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Runs;

namespace Cdc.Tests.Support.Pipeline;

/// <summary>Runs over a bed's two databases, as <c>cdc reconcile</c> makes them.</summary>
public static class Reconciled
{
    private const int MostDrift = 10_000;

    /// <param name="fences">Null: those of the bed's pipeline.</param>
    /// <returns>The run's report, read again from the engine.</returns>
    public static async Task<RunReport> ReconcileAsync(
        this PipelineBed bed,
        RunRequest request,
        CancellationToken ct,
        ReconcileOptions? options = null,
        IFence? fences = null
    )
    {
        var reconciler = new Reconciler(
            new ComparedServers(bed.Source.DataSource, bed.Engine.DataSource, fences ?? bed.Gate(), bed.Entities),
            options ?? new ReconcileOptions()
        );
        return await bed.ReportAsync(await reconciler.RunAsync(request, ct), ct);
    }

    /// <summary>What is known of a run by now.</summary>
    public static async Task<RunReport> ReportAsync(this PipelineBed bed, long run, CancellationToken ct)
    {
        var connection = await bed.Engine.DataSource.OpenConnectionAsync(ct);
        await using (connection)
            return await ReportReader.ReadAsync(connection, run, MostDrift, ct);
    }
}
