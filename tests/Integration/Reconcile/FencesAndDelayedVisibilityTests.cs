using Cdc.Core.Fences;
using Cdc.Core.Snapshots;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Equality;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Transactions that the engine has and the source's snapshot does not: in flight, and not drift.</summary>
public sealed class FencesAndDelayedVisibilityTests(TestServers servers) : IAsyncLifetime
{
    private PgCluster _odoo = null!;
    private MissingStandby _standby = null!;
    private PipelineBed _bed = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _odoo = await PgCluster.StartAsync(new PgClusterOptions { Name = "fences", SharedBuffers = "32MB" }, Ct);
        _standby = new MissingStandby(_odoo);
        _bed = await PipelineBed.CreateAsync(_odoo.ConnectionString("postgres"), await servers.Engine.ConnectionStringAsync(), Ct);
        await _bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'card ' || i, i FROM generate_series(1, 9) i;
            """,
            Ct
        );
        _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _standby.DisposeAsync();
        await _bed.DisposeAsync();
        await _odoo.DisposeAsync();
    }

    [Fact]
    public async Task Keys_of_a_streamed_transaction_that_is_not_visible_are_in_flight_and_no_others()
    {
        await _standby.HoldAsync();
        var waiting = CommitAsync(
            """
            UPDATE loyalty_card SET points = 10 WHERE id = 1;
            DELETE FROM loyalty_card WHERE id = 2;
            UPDATE loyalty_card SET id = 30 WHERE id = 3;
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (40, 1, 'forty', 4);
            """
        );
        await EngineHasAsync(40);
        // Heartbeats between the transaction and the fence: what is not visible is not forgotten.
        await _bed.CaughtUpAsync(Ct);
        await using (var fence = await OpenAsync())
        {
            Assert.False(waiting.IsCompleted);
            Assert.Equal([1L, 2L, 3L, 30L, 40L], fence.InFlight.Keys.Order());
            Assert.False(fence.InFlight.All);
            Assert.Equal(6, await CompareAsync(fence));
        }
        Assert.Equal([30L, 40L], (await OpenRangeAsync(new KeyRange(30, null))).Order());

        var frozen = await Assert.ThrowsAsync<FenceException>(() => _bed.Gate().OpenFrozenAsync(_bed.Entity("card"), KeyRange.All, Ct));
        Assert.Equal(FenceReasons.NotFrozen, frozen.Reason);
        await _standby.ReleaseAsync();
        await waiting;
        Assert.Equal((9L, 0), await _bed.AssertEqualAtFenceAsync("card", Ct));
    }

    [Fact]
    public async Task A_run_counts_what_is_committed_and_not_visible_as_in_flight_and_finds_no_drift()
    {
        await _standby.HoldAsync();
        var waiting = CommitAsync(
            "UPDATE loyalty_card SET points = 10 WHERE id = 1; DELETE FROM loyalty_card WHERE id = 2; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (40, 1, 'forty', 4)"
        );
        await EngineHasAsync(40);
        var before = await RunAsync();
        Assert.Equal(("inconclusive", 3, 7), (before.Run.Verdict, before.Total.InFlight, before.Total.Compared));
        await _standby.ReleaseAsync();
        await waiting;
        var after = await RunAsync();
        Assert.Equal(("consistent", 0, 9), (after.Run.Verdict, after.Total.InFlight, after.Total.Compared));
    }

    [Fact]
    public async Task Without_the_keys_in_flight_the_comparison_would_be_wrong()
    {
        await _standby.HoldAsync();
        var waiting = CommitAsync(
            "UPDATE loyalty_card SET points = 10 WHERE id = 1; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (40, 1, 'forty', 4)"
        );
        await EngineHasAsync(40);
        await using var fence = await OpenAsync();
        await using var forgetful = new FencedSnapshots(fence.Source, fence.Engine, InFlightKeys.None, fence.Generation, fence.Marker);
        var report = await new EqualityCheck(_bed.Entities).CompareAsync(_bed.Entity("card"), forgetful, Ct);
        Assert.Equal([1L, 40L], report.Examples.Select(e => e.Key).Order());
        await _standby.ReleaseAsync();
        await waiting;
    }

    [Fact]
    public async Task A_streamed_truncate_that_is_not_visible_locks_the_table_and_the_fence_waits_for_it()
    {
        await _standby.HoldAsync();
        var waiting = CommitAsync(
            "TRUNCATE loyalty_card CASCADE; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (5, 1, 'five', 5)"
        );
        await Eventually.True(
            "the truncate is in the engine",
            () => _bed.Engine.ScalarAsync<bool>("SELECT count(*) = 1 FROM loyalty_cards", Ct),
            ct: Ct
        );
        var refused = await Assert.ThrowsAsync<FenceException>(() =>
            OpenAsync(new FenceOptions { Timeout = TimeSpan.FromMinutes(1), Attempts = 1 })
        );
        Assert.Equal(FenceReasons.Locked, refused.Reason);
        await _standby.ReleaseAsync();
        await waiting;
        await _bed.AssertEqualAtFenceAsync("card", Ct);
    }

    [Fact]
    public async Task A_streamed_transaction_too_large_to_remember_gives_the_fence_up_until_it_is_visible()
    {
        // Two rows are more than may be remembered.
        _bed.SourceOptions = _bed.SourceOptions with
        {
            RememberedKeys = 1,
        };
        await _bed.RestartInProcessAsync();
        // The session after the restart has applied it, so what begins now is younger than the session.
        await _bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points WHERE id = 1", Ct);
        await _bed.CaughtUpAsync(Ct);
        await _standby.HoldAsync();
        var waiting = CommitAsync(
            "UPDATE loyalty_card SET points = points + 10; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (40, 1, 'forty', 4)"
        );
        await EngineHasAsync(40);
        var refused = await Assert.ThrowsAsync<FenceException>(() =>
            OpenAsync(new FenceOptions { Timeout = TimeSpan.FromMinutes(1), Attempts = 2 })
        );
        Assert.Equal(FenceReasons.TooLarge, refused.Reason);
        await _standby.ReleaseAsync();
        await waiting;
        Assert.Equal((10L, 0), await _bed.AssertEqualAtFenceAsync("card", Ct));
    }

    private Task<FencedSnapshots> OpenAsync(FenceOptions? options = null) =>
        _bed.Gate(options).OpenAsync(_bed.Entity("card"), KeyRange.All, Ct);

    private async Task<IReadOnlySet<long>> OpenRangeAsync(KeyRange range)
    {
        await using var fence = await _bed.Gate().OpenAsync(_bed.Entity("card"), range, Ct);
        return fence.InFlight.Keys;
    }

    /// <returns>How many keys were compared.</returns>
    private async Task<long> CompareAsync(FencedSnapshots fence)
    {
        var report = await new EqualityCheck(_bed.Entities).CompareAsync(_bed.Entity("card"), fence, Ct);
        return report.AreEqual ? report.Entities[0].Rows : throw new NotEqualException(report);
    }

    private Task<RunReport> RunAsync() => _bed.ReconcileAsync(new RunRequest(RunKind.Full, [_bed.Entity("card")]), Ct);

    private Task EngineHasAsync(long key) =>
        Eventually.True(
            "the waiting transaction is in the engine",
            () => _bed.Engine.ScalarAsync<bool>($"SELECT EXISTS (SELECT FROM loyalty_cards WHERE id = {key})", Ct),
            ct: Ct
        );

    /// <summary>One transaction; the task ends when its commit does.</summary>
    private async Task CommitAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_bed.Source.ConnectionString + ";Pooling=false;Command Timeout=0");
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
