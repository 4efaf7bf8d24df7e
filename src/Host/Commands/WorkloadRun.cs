using Cdc.Workload;
using Npgsql;

namespace Cdc.Host.Commands;

/// <summary>Runs the generator on a test database, which it fills first if it is empty.</summary>
internal static class WorkloadRun
{
    public static async Task RunAsync(WorkloadRequest request, IProgress<WorkloadProgress> progress, CancellationToken ct)
    {
        var empty = await IsEmptyAsync(request.ConnectionString, ct).ConfigureAwait(false);
        await using var generator = new WorkloadGenerator(new WorkloadOptions
        {
            ConnectionString = request.ConnectionString,
            Seed = request.Seed,
            TransactionsPerSecond = request.Rate,
            Duration = request.Duration,
            Sessions = request.Sessions,
            CreateTables = empty,
            Initial = empty ? InitialRows.Shop(request.Cards) : new InitialRows(),
        });
        await generator.PrepareAsync(ct).ConfigureAwait(false);
        var running = generator.RunAsync(ct);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (!running.IsCompleted)
        {
            await Task.WhenAny(running, timer.WaitForNextTickAsync(CancellationToken.None).AsTask()).ConfigureAwait(false);
            Report(progress, generator.Progress);
        }
        Report(progress, await running.ConfigureAwait(false));
    }

    private static void Report(IProgress<WorkloadProgress> progress, WorkloadReport report) =>
        progress.Report(new WorkloadProgress(report.Transactions, report.Elapsed));

    private static async Task<bool> IsEmptyAsync(string connectionString, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(ct).ConfigureAwait(false);
        await using var command = new NpgsqlCommand("SELECT to_regclass('loyalty_card') IS NULL", connection);
        return (bool)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
    }
}
