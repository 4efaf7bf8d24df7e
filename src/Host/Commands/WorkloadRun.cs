using Cdc.Workload;

namespace Cdc.Host.Commands;

/// <summary>Runs the generator on a test database, which it fills first if it is empty.</summary>
internal static class WorkloadRun
{
    public static async Task RunAsync(WorkloadRequest request, IProgress<WorkloadProgress> progress, CancellationToken ct)
    {
        await using var generator = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = request.ConnectionString,
                Seed = request.Seed,
                TransactionsPerSecond = request.Rate,
                Duration = request.Duration,
                Sessions = request.Sessions,
                CreateTables = true,
                Initial = InitialRows.Shop(request.Cards) with { OnlyWhenEmpty = true },
            }
        );
        await generator.PrepareAsync(ct);
        var running = generator.RunAsync(ct);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (!running.IsCompleted)
        {
            await Task.WhenAny(running, timer.WaitForNextTickAsync(CancellationToken.None).AsTask());
            Report(progress, generator.Progress);
        }
        Report(progress, await running);
    }

    private static void Report(IProgress<WorkloadProgress> progress, WorkloadReport report) =>
        progress.Report(new WorkloadProgress(report.Transactions, report.Elapsed));
}
