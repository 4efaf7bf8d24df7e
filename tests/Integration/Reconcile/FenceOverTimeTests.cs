using Cdc.Core.Failures;
using Cdc.Core.Snapshots;
using Cdc.Reconcile.Fences;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Pipeline;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Fences between whose steps much happens.</summary>
public sealed class FenceOverTimeTests(OwnServers servers) : IAsyncLifetime, IClassFixture<OwnServers>
{
    private static readonly FenceOptions OneShortAttempt = new() { Timeout = TimeSpan.FromSeconds(1), Attempts = 1 };

    private PipelineBed _bed = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bed = await servers.BedAsync(20, Ct);
        _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task A_fence_that_was_armed_long_ago_has_all_keys_in_flight_since_and_no_drift()
    {
        // Many sweeps of what Capture remembers pass between the arming and the reading; none may forget a key.
        var fence = await AskedByHand.ArmedAsync(_bed);
        var snapshot = await _bed.Source.ScalarAsync<string>("SELECT pg_current_snapshot()::text", Ct);
        for (var card = 1; card <= 10; card++)
            await _bed.Source.ExecuteAsync($"UPDATE loyalty_card SET points = points + 1 WHERE id = {card}", Ct);
        await _bed.CaughtUpAsync(Ct);
        await HeartbeatsAsync(5);
        await fence.ReadAsync(snapshot!);
        await fence.IsAsync("reached");
        await fence.OpenAsync();
        Assert.Equal(
            ["{1,2,3,4,5,6,7,8,9,10}"],
            await _bed.Engine.RowsAsync("SELECT ARRAY(SELECT unnest(in_flight) ORDER BY 1) FROM cdc.fences", Ct)
        );
        await _bed.AssertEqualAtFenceAsync("card", Ct);
    }

    [Theory]
    [InlineData("armed")]
    [InlineData("reached")]
    public async Task A_gap_in_the_middle_of_a_fence_breaks_it_and_who_asks_is_told_of_the_gap(string place)
    {
        _bed.EngineOptions = _bed.EngineOptions with { FenceHoldTimeout = TimeSpan.FromSeconds(30) };
        var pipeline = await _bed.RestartInProcessAsync();
        var fence = await AskedByHand.ArmedAsync(_bed);
        if (place == "reached")
        {
            await fence.ReadAsync();
            await fence.IsAsync("reached");
        }
        await DropSlotAsync();
        var gap = await Assert.ThrowsAnyAsync<CdcException>(() => pipeline.Completion);
        Assert.Equal(FailureKind.DeclaredGap, gap.Kind);
        Assert.Equal(
            FailureKind.DeclaredGap,
            (
                await Assert.ThrowsAsync<FenceException>(() => _bed.Gate(OneShortAttempt).OpenAsync(_bed.Entity("card"), KeyRange.All, Ct))
            ).Kind
        );

        _bed.SourceOptions = _bed.SourceOptions with { AcceptGaps = true };
        _bed.StartInProcess();
        await fence.IsAsync("broken");
        await _bed.CaughtUpAsync(Ct);
        // What was taken before the gap must not be opened behind it.
        await fence.OpenAsync();
        Assert.Equal("broken", await fence.StateAsync());
        await _bed.AssertEqualAtFenceAsync("card", Ct);
    }

    /// <summary>The engine's checkpoint moves with heartbeats where nothing else is written.</summary>
    private async Task HeartbeatsAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var before = await ThroughAsync();
            await Eventually.True("a heartbeat has passed", async () => await ThroughAsync() != before, ct: Ct);
        }
    }

    private Task<string?> ThroughAsync() => _bed.Engine.ScalarAsync<string>("SELECT through_lsn::text FROM cdc.checkpoints", Ct);

    private Task DropSlotAsync() =>
        Eventually.True(
            "the slot is dropped",
            async () =>
            {
                try
                {
                    await _bed.Source.ExecuteAsync(
                        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database() AND active",
                        Ct
                    );
                    await _bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{_bed.SourceOptions.SlotName}')", Ct);
                    return true;
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse)
                {
                    return false;
                }
            },
            ct: Ct
        );
}
