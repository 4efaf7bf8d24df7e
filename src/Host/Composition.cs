using Cdc.Apply.Migrations;
using Cdc.Capture;
using Cdc.Capture.Slot;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Telemetry;
using Cdc.Host.Commands;
using Cdc.Host.Configuration;
using Cdc.Host.Pipeline;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Host;

/// <summary>Connects the commands to the projects that do the work.</summary>
internal static class Composition
{
    public static Parts Connect() => new()
    {
        LoadEntities = EntityFile.Load,
        Pipeline = CreatePipeline,
        Preflight = Preflight.CheckAsync,
        Migrator = (options, _) => new EngineMigrator(options),
        SlotSetup = (source, entities) => new SourceSlot(new SlotSetup(source, entities)),
        Workload = WorkloadRun.RunAsync,
    };

    private static RunningPipeline CreatePipeline(CdcOptions options, EntitySet entities, ILoggerFactory loggers)
    {
        var log = loggers.CreateLogger("Cdc.Pipeline");
        var setup = new SourceSetup(options.Source, options.Engine, entities, log);
        var preconditions = new Preconditions(options, entities, log);
        var session = new PipelineSession(options.Source, options.Engine, options.Snapshot, options.Log, entities, preconditions, new PipelineStatistics(), log);
        return new RunningPipeline(new PipelineWorker(options.Source, options.Engine, session, setup, log));
    }

    private sealed class RunningPipeline(PipelineWorker worker) : IPipeline
    {
        public Task RunAsync(CancellationToken ct) => worker.RunAsync(ct);
    }

    private sealed class SourceSlot(SlotSetup setup) : ISlotSetup
    {
        public async Task<Lsn> CreateAsync(CancellationToken ct)
        {
            await setup.EnsurePublicationAsync(ct).ConfigureAwait(false);
            return await setup.CreateSlotAsync(ct).ConfigureAwait(false);
        }

        public Task DropAsync(CancellationToken ct) => setup.DropSlotAsync(ct);
    }

    private sealed class EngineMigrator(CdcOptions options) : IMigrator
    {
        public Task<IReadOnlyList<Host.MigrationState>> StatusAsync(CancellationToken ct) => UseAsync(async migrator =>
        {
            var status = await migrator.StatusAsync(ct).ConfigureAwait(false);
            return (IReadOnlyList<Host.MigrationState>)[.. status.Migrations.Select(m => new Host.MigrationState(m.Migration.Version, m.Migration.Name, m.AppliedAt))];
        });

        public Task UpAsync(int? to, CancellationToken ct) => UseAsync(migrator => migrator.UpAsync(to, ct));

        public Task DownAsync(int to, CancellationToken ct) => UseAsync(migrator => migrator.DownAsync(to, ct));

        private async Task<T> UseAsync<T>(Func<Migrator, Task<T>> work)
        {
            await using var engine = NpgsqlDataSource.Create(options.Engine.ConnectionString);
            return await work(new Migrator(engine, Migration.ReadAll(Preconditions.MigrationsFolder))).ConfigureAwait(false);
        }
    }
}
