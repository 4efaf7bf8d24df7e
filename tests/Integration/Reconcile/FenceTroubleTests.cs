using Cdc.Core.Fences;
using Cdc.Core.Snapshots;
using Cdc.Reconcile.Fences;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Pipeline;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>
/// What can break a fence. Its requester repeats it, the stream goes on, and nothing is called drift that is none. On servers of its own: the
/// transactions that it holds open would keep the slots of other tests from being created.
/// </summary>
public sealed class FenceTroubleTests(OwnServers servers) : IAsyncLifetime, IClassFixture<OwnServers>
{
    private static readonly FenceOptions OneShortAttempt = new() { Timeout = TimeSpan.FromSeconds(1), Attempts = 1 };

    /// <summary>
    /// By default an attempt has 15 seconds: one that is given up four times has lived through a stall of a minute. With <c>CDC_TEST_LONG=1</c> it
    /// is that minute, otherwise the same in small.
    /// </summary>
    private static readonly FenceOptions AMinutesStall =
        Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1"
            ? new FenceOptions()
            : new FenceOptions { Timeout = TimeSpan.FromMilliseconds(250), Attempts = 200 };

    private PipelineBed _bed = null!;
    private InProcessPipeline _pipeline = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bed = await servers.BedAsync(20, Ct);
        _pipeline = _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task Changes_wait_at_the_fence_until_it_is_open()
    {
        _bed.EngineOptions = _bed.EngineOptions with { FenceHoldTimeout = TimeSpan.FromSeconds(30) };
        await _bed.RestartInProcessAsync();
        var (first, second) = (await AskedByHand.ArmedAsync(_bed), await AskedByHand.ArmedAsync(_bed));
        await first.ReadAsync();
        await first.IsAsync("reached");
        await ChangeAsync();
        await second.ReadAsync();
        await SentAsync();
        Assert.Equal(("reached", "read"), (await first.StateAsync(), await second.StateAsync()));
        Assert.False(await IsChangedAsync());

        await first.OpenAsync();
        await second.IsAsync("reached");
        Assert.True(await IsChangedAsync());
        await second.OpenAsync();
        await _bed.CaughtUpAsync(Ct);
    }

    [Fact]
    public async Task An_asker_that_died_while_changes_wait_is_waited_for_only_so_long()
    {
        _bed.EngineOptions = _bed.EngineOptions with { FenceHoldTimeout = TimeSpan.FromMilliseconds(300) };
        _pipeline = await _bed.RestartInProcessAsync();
        var fence = await AskedByHand.ArmedAsync(_bed);
        await fence.ReadAsync();
        await fence.IsAsync("broken");
        Assert.Equal(FenceReasons.NotOpened, await fence.ReasonAsync());
        Assert.Equal(1, _pipeline.Statistics.Fences);
        Assert.InRange(_pipeline.Statistics.FencesHeld, TimeSpan.FromMilliseconds(290), TimeSpan.FromSeconds(20));
        await ChangeAsync();
        await _bed.CaughtUpAsync(Ct);
        await _bed.AssertEqualAtFenceAsync("card", Ct);
    }

    [Fact]
    public async Task An_asker_that_died_before_it_read_holds_nothing_up()
    {
        var fence = await AskedByHand.AnnounceAsync(_bed, "500 milliseconds");
        await fence.IsAsync("broken");
        Assert.Equal(FenceReasons.Expired, await fence.ReasonAsync());
        Assert.Equal(0, _pipeline.Statistics.Fences);
        await _bed.AssertEqualAtFenceAsync("card", Ct);
    }

    [Fact]
    public async Task A_fence_that_was_given_up_is_not_waited_for()
    {
        var fence = await AskedByHand.ArmedAsync(_bed);
        await _bed.Engine.ExecuteAsync("UPDATE cdc.fences SET state = 'broken', reason = 'given-up'", Ct);
        await _bed.AssertEqualAtFenceAsync("card", Ct);
        Assert.Equal(1, _pipeline.Statistics.Fences);
        Assert.Equal("broken", await fence.StateAsync());
    }

    [Fact]
    public async Task A_fence_dies_with_the_session_that_armed_it()
    {
        var fence = await AskedByHand.ArmedAsync(_bed);
        await DisconnectAsync();
        await fence.IsAsync("broken");
        Assert.Equal(FenceReasons.Session, await fence.ReasonAsync());
    }

    [Fact]
    public async Task Capture_lost_again_and_again_in_fences_breaks_no_comparison()
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var asking = Task.Run(
            async () =>
            {
                var fences = 0;
                for (; !enough.IsCancellationRequested; fences++)
                {
                    await ChangeAsync();
                    await _bed.AssertEqualAtFenceAsync("card", Ct, new FenceOptions { Timeout = TimeSpan.FromSeconds(10), Attempts = 30 });
                }
                return fences;
            },
            Ct
        );
        for (var loss = 0; loss < 4; loss++)
        {
            var before = await LastFenceAsync();
            await Eventually.True("another fence is asked for", async () => await LastFenceAsync() > before, ct: Ct);
            await DisconnectAsync();
        }
        await enough.CancelAsync();
        Assert.NotEqual(0, await asking);
    }

    [Fact]
    public async Task Apply_stalled_gives_the_fence_up_and_a_later_one_finds_no_drift()
    {
        FenceException refused;
        await using (var holder = await _bed.Engine.DataSource.OpenConnectionAsync(Ct))
        {
            await using var transaction = await holder.BeginTransactionAsync(Ct);
            await using var stall = new NpgsqlCommand("SELECT FROM cdc.checkpoints FOR SHARE", holder, transaction);
            await stall.ExecuteNonQueryAsync(Ct);
            await ChangeAsync();
            refused = await Assert.ThrowsAsync<FenceException>(() => OpenAsync(OneShortAttempt with { Attempts = 2 }));
        }
        Assert.Equal(FenceReasons.Expired, refused.Reason);
        Assert.Contains("2 attempts failed", refused.Message, StringComparison.Ordinal);
        await _bed.AssertEqualAtFenceAsync("card", Ct);
        await _bed.CaughtUpAsync(Ct);
    }

    [Fact]
    public async Task Apply_stalled_for_a_minute_has_the_fence_given_up_and_repeated_until_it_opens_and_shows_no_drift()
    {
        Task equal;
        await using (var holder = await _bed.Engine.DataSource.OpenConnectionAsync(Ct))
        {
            await using var transaction = await holder.BeginTransactionAsync(Ct);
            await using var stall = new NpgsqlCommand("SELECT FROM cdc.checkpoints FOR SHARE", holder, transaction);
            await stall.ExecuteNonQueryAsync(Ct);
            await ChangeAsync();
            equal = _bed.AssertEqualAtFenceAsync("card", Ct, AMinutesStall);
            await Eventually.True(
                "the fence was given up four times",
                async () => equal.IsCompleted || await GivenUpAsync() >= 4,
                async () => $"{await GivenUpAsync()} times",
                TimeSpan.FromMinutes(3),
                Ct
            );
            Assert.False(equal.IsCompleted);
            Assert.False(await IsChangedAsync());
        }
        await equal;
        Assert.True(await IsChangedAsync());
        await _bed.CaughtUpAsync(Ct);
        await _bed.AssertEqualAsync(Ct);
    }

    private Task<long> GivenUpAsync() => _bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.fences WHERE state = 'broken'", Ct);

    [Fact]
    public async Task After_a_start_a_fence_waits_for_the_writers_that_ran_then()
    {
        await using var writer = await _bed.Source.DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await writer.BeginTransactionAsync(Ct);
        await ExecuteAsync(writer, "UPDATE loyalty_card SET points = 1000 WHERE id = 3");
        await _bed.RestartInProcessAsync();
        await _bed.CaughtUpAsync(Ct);
        var refused = await Assert.ThrowsAsync<FenceException>(() => OpenAsync(OneShortAttempt));
        Assert.Equal(FenceReasons.Waits, refused.Reason);
        await transaction.CommitAsync(Ct);
        await _bed.AssertEqualAtFenceAsync("card", Ct);
    }

    [Fact]
    public async Task A_long_writer_that_began_later_is_no_reason_to_wait_and_in_flight_only_once_it_has_committed()
    {
        await using var writer = await _bed.Source.DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await writer.BeginTransactionAsync(Ct);
        await ExecuteAsync(writer, "UPDATE loyalty_card SET points = 1000 WHERE id = 3");
        await using (var fence = await OpenAsync())
        {
            Assert.Empty(fence.InFlight.Keys);
            await transaction.CommitAsync(Ct);
        }
        await _bed.AssertEqualAtFenceAsync("card", Ct);
    }

    [Fact]
    public async Task A_locked_table_is_named()
    {
        await using var writer = await _bed.Source.DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await writer.BeginTransactionAsync(Ct);
        await ExecuteAsync(writer, "LOCK TABLE loyalty_card");
        var refused = await Assert.ThrowsAsync<FenceException>(() =>
            OpenAsync(OneShortAttempt with { Timeout = TimeSpan.FromSeconds(10) })
        );
        Assert.Equal(FenceReasons.Locked, refused.Reason);
    }

    private Task<FencedSnapshots> OpenAsync(FenceOptions? options = null) =>
        _bed.Gate(options).OpenAsync(_bed.Entity("card"), KeyRange.All, Ct);

    private Task ChangeAsync() => _bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1000 WHERE id = 1", Ct);

    private Task<bool> IsChangedAsync() => _bed.Engine.ScalarAsync<bool>("SELECT points > 1000 FROM loyalty_cards WHERE id = 1", Ct);

    /// <summary>Everything written by now has been sent to Capture.</summary>
    private async Task SentAsync()
    {
        var wal = await _bed.Source.ScalarAsync<string>("SELECT pg_current_wal_insert_lsn()::text", Ct);
        await Eventually.True(
            $"the slot's reader was sent {wal}",
            () =>
                _bed.Source.ScalarAsync<bool>(
                    $"SELECT sent_lsn >= '{wal}' FROM pg_stat_replication WHERE pid = (SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{_bed.SourceOptions.SlotName}')",
                    Ct
                ),
            ct: Ct
        );
    }

    private Task<long> LastFenceAsync() => _bed.Engine.ScalarAsync<long>("SELECT coalesce(max(id), 0) FROM cdc.fences", Ct);

    /// <summary>The replication connection is cut; a new session begins.</summary>
    private Task DisconnectAsync() =>
        _bed.Source.ExecuteAsync(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database() AND active",
            Ct
        );

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
