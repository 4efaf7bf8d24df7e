using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Reconcile;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Pipeline;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Whole runs while the pipeline is in trouble: they take longer, and find nothing that is not there.</summary>
public sealed class RunTroubleTests(OwnServers servers) : IAsyncLifetime, IClassFixture<OwnServers>
{
    private static readonly FenceOptions Patient = new() { Timeout = TimeSpan.FromSeconds(1), Attempts = 60 };

    private PipelineBed _bed = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bed = await servers.BedAsync(10000, Ct);
        _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task Apply_stalled_in_a_run_has_fences_given_up_and_repeated_and_no_drift()
    {
        Task<RunReport> running;
        await using (var holder = await _bed.Engine.DataSource.OpenConnectionAsync(Ct))
        {
            await using var stalled = await holder.BeginTransactionAsync(Ct);
            await ExecuteAsync(holder, "SELECT FROM cdc.checkpoints FOR SHARE");
            await ChangeAsync();
            running = RunAsync(_bed.Gate(Patient));
            await Eventually.True("fences were given up", async () => await BrokenAsync() >= 2, ct: Ct);
        }
        Assert.Equal(("consistent", 0, 10_000), Result(await running));
    }

    [Fact]
    public async Task Capture_lost_in_every_slice_of_a_run_finds_no_drift()
    {
        var fences = new LosingFences(_bed);
        Assert.Equal(("consistent", 0, 10_000), Result(await RunAsync(fences)));
        Assert.Equal(fences.Lost, await BrokenAsync());
    }

    [Fact]
    public async Task A_writer_that_stays_open_for_the_whole_run_is_no_drift_and_neither_is_what_it_commits()
    {
        await using var writer = await _bed.Source.DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await writer.BeginTransactionAsync(Ct);
        await ExecuteAsync(
            writer,
            "UPDATE loyalty_card SET points = points + 1 WHERE id % 7 = 0; DELETE FROM loyalty_card WHERE id % 1000 = 1; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (20000, 1, 'new', 1)"
        );
        Assert.Equal(("consistent", 0, 10_000), Result(await RunAsync(_bed.Gate())));
        await transaction.CommitAsync(Ct);
        Assert.Equal(("consistent", 0, 9991), Result(await RunAsync(_bed.Gate())));
    }

    private static (string?, long, long) Result(RunReport report) =>
        (report.Run.Verdict, report.Total.Drift, report.Total.Compared + report.Total.InFlight);

    private Task<RunReport> RunAsync(IFence fences) =>
        _bed.ReconcileAsync(
            new RunRequest(RunKind.Full, [_bed.Entity("card")]),
            Ct,
            new ReconcileOptions { SliceRows = 4096, SliceTime = TimeSpan.FromMinutes(1) },
            fences
        );

    private Task ChangeAsync() => _bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1 WHERE id % 1000 = 5", Ct);

    private Task<long> BrokenAsync() => _bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.fences WHERE state = 'broken'", Ct);

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    /// <summary>Fences of a bed whose capture is cut off once each of them is armed, and not yet read.</summary>
    private sealed class LosingFences(PipelineBed bed) : IFence
    {
        public int Lost { get; private set; }

        public async Task<FencedSnapshots> OpenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct)
        {
            await using var locker = await bed.Source.DataSource.OpenConnectionAsync(ct);
            await using var transaction = await locker.BeginTransactionAsync(ct);
            await ExecuteAsync(locker, $"LOCK TABLE {entity.SourceName}");
            var opening = bed.Gate().OpenAsync(entity, range, ct);
            await Eventually.True(
                "the fence is armed",
                () => bed.Engine.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM cdc.fences WHERE state = 'armed')", ct),
                ct: ct
            );
            await bed.Source.ExecuteAsync(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database() AND active",
                ct
            );
            Lost++;
            await transaction.RollbackAsync(ct);
            return await opening;
        }
    }
}
