using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine.Migrations;
using Cdc.Workload;
using Npgsql;

namespace Cdc.Host.Commands;

/// <summary>Runs the generator on a test database, which it fills first if it is empty.</summary>
internal static class WorkloadRun
{
    public static async Task RunAsync(WorkloadRequest request, IProgress<WorkloadProgress> progress, CancellationToken ct)
    {
        await RefuseOdooAsync(request.ConnectionString, ct);
        await using var generator = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = request.ConnectionString,
                Seed = request.Seed,
                TransactionsPerSecond = request.Rate,
                Duration = request.Duration,
                Sessions = request.Sessions,
                Odoo = request.Odoo,
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

    /// <summary>Before anything is written: the tables of a test database are ours to fill, those of an Odoo are not.</summary>
    private static async Task RefuseOdooAsync(string connectionString, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenPinnedAsync(ct);
        if (await OdooDatabase.IsInstalledAsync(connection, ct))
            throw new CdcException(
                FailureKind.Refused,
                $"An Odoo is installed in database {connection.Database}: 'cdc workload' writes into test databases only. Nothing was changed.",
                "Make an empty database (CREATE DATABASE odoo_test;), and name it in --connection."
            );
    }

    private static void Report(IProgress<WorkloadProgress> progress, WorkloadReport report) =>
        progress.Report(new WorkloadProgress(report.Transactions, report.Elapsed));
}
