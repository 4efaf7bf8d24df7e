using Cdc.Capture.Slot;
using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

public sealed class ReplicationSourceTests(TestServers servers)
{
    private const string CardTable = "CREATE TABLE card (id serial PRIMARY KEY, code text)";
    private const string Card = "card: id integer, code text";

    [Fact]
    public async Task The_source_identifies_itself()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await using var source = await bed.ConnectAsync();
        var found = await source.IdentifyAsync(Ct);
        Assert.Equal(
            await bed.ScalarAsync<string>("SELECT system_identifier::text FROM pg_control_system()"),
            found.Identity.SystemIdentifier
        );
        Assert.Equal(await bed.ScalarAsync<int>("SELECT timeline_id FROM pg_control_checkpoint()"), found.Identity.Timeline);
        Assert.Equal(bed.Database.Name, found.Identity.DatabaseName);
        Assert.True(found.FlushLsn > Lsn.Zero);
    }

    [Fact]
    public async Task Large_rows_and_small_ones_arrive_whole()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("INSERT INTO card (code) SELECT repeat('x', (i % 5) * 700000 + 1) FROM generate_series(1, 12) i");
        var seen = await bed.ReadAllAsync();
        var lengths = seen.Events.OfType<RowChange>().Select(r => r.Image.Length).ToList();
        Assert.Equal(Enumerable.Range(1, 12).Select(i => 2 + (1 + 4 + 4) + (1 + 4 + ((i % 5) * 700000) + 1)), lengths);
    }

    [Fact]
    public async Task What_was_not_confirmed_comes_again_and_what_was_does_not()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("INSERT INTO card (code) VALUES ('a')");
        await bed.RunAsync("INSERT INTO card (code) VALUES ('b')");
        await using (var source = await bed.StartAsync())
        {
            var seen = await bed.ReadAllAsync(source);
            var first = seen.Events.OfType<CommitChange>().First();
            await source.ConfirmAsync(first.EndLsn, Ct);
            await ConfirmedAsync(bed, first.EndLsn);
        }
        var again = await bed.ReadAllAsync();
        Assert.Equal("insert card 2@0 id=2 code=b", again.Changes[0]);
    }

    [Fact]
    public async Task A_confirmation_never_steps_back()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("INSERT INTO card (code) VALUES ('a')");
        await using var source = await bed.StartAsync();
        var end = (await bed.ReadAllAsync(source)).Events.OfType<CommitChange>().Single().EndLsn;
        var before = (await new SlotSetup(bed.Options, bed.Entities).ReadAsync(Ct))!.ConfirmedFlushLsn!.Value;
        await source.ConfirmAsync(end, Ct);
        await ConfirmedAsync(bed, end);
        var replied = await ReplyTimeAsync(bed, source);
        await source.ConfirmAsync(before, Ct);
        await Eventually.True("the server has got the later status", async () => await ReplyTimeAsync(bed, source) > replied, ct: Ct);
        Assert.True(before < end);
        // What we said, not what became of it: newer servers refuse to step back by themselves.
        Assert.Equal(
            end.ToString(),
            await bed.ScalarAsync<string>($"SELECT flush_lsn::text FROM pg_stat_replication WHERE pid = {source.WalSenderPid}")
        );
    }

    [Fact]
    public async Task Status_goes_out_while_nobody_reads()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        // Two seconds of silence would end it; status goes out twenty times as often.
        var timeouts = new ReplicationTimeouts(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(60), TimeSpan.FromMilliseconds(100));
        await bed.RunAsync("INSERT INTO card (code) SELECT repeat('x', 1000) FROM generate_series(1, 20000) i");
        await using var source = await bed.StartAsync(timeouts);
        Assert.NotNull(await source.ReadAsync(Ct));
        var started = await bed.ScalarAsync<DateTime>("SELECT now()");
        await Eventually.True(
            "the server has heard of us for twice its time-out",
            async () => await ReplyTimeAsync(bed, source) > started.AddSeconds(4),
            ct: Ct
        );
        var rows = 0;
        while (await source.ReadAsync(Ct) is { } message && message.Payload.Span[0] != 'C')
            if (message.Payload.Span[0] == 'I')
                rows++;
        Assert.Equal(20000, rows);
    }

    [Fact]
    public async Task A_cancelled_reader_lets_the_slot_go()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        var setup = new SlotSetup(bed.Options, bed.Entities);
        await using (var source = await bed.StartAsync())
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var reading = source.ReadAsync(stop.Token).AsTask();
            await Eventually.True("the slot is in use", async () => (await setup.ReadAsync(Ct))!.IsActive, ct: Ct);
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        }
        await Eventually.True("the slot is free", async () => !(await setup.ReadAsync(Ct))!.IsActive, ct: Ct);
    }

    [Fact]
    public async Task A_stream_can_be_left_while_a_read_of_it_waits()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("INSERT INTO card (code) VALUES ('a')");
        var source = await bed.StartAsync();
        await bed.ReadAllAsync(source);
        var reading = source.ReadAsync(Ct).AsTask();
        Assert.False(reading.IsCompleted);
        await source.DisposeAsync();
        Assert.True(reading.IsCompleted);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task A_stream_is_left_at_once_though_a_large_transaction_is_waiting()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await bed.RunAsync("INSERT INTO card (code) SELECT repeat('x', 1000) FROM generate_series(1, 50000) i");
        var source = await bed.StartAsync();
        Assert.NotNull(await source.ReadAsync(Ct));
        await source.DisposeAsync();
        var setup = new SlotSetup(bed.Options, bed.Entities);
        await Eventually.True("the slot is free", async () => !(await setup.ReadAsync(Ct))!.IsActive, ct: Ct);
    }

    [Fact]
    public async Task Packets_are_gathered_on_Linux_and_single_changes_still_come_after_a_quiet_time()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "SO_RCVLOWAT is Linux's.");
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await using var source = await bed.StartAsync();
        Assert.True(source.GathersPackets);
        for (var round = 1; round <= 3; round++)
        {
            await bed.RunAsync("INSERT INTO card (code) SELECT 'x' FROM generate_series(1, 2000)");
            await bed.RunAsync("INSERT INTO card (code) VALUES ('y')");
            Assert.Equal(2001, (await bed.ReadAllAsync(source)).Events.OfType<RowChange>().Count());
        }
    }

    [Fact]
    public async Task A_missing_slot_is_a_gap_that_names_its_command()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await new SlotSetup(bed.Options, bed.Entities).DropSlotAsync(Ct);
        var gap = Assert.IsType<DeclaredGapException>(await StreamTestBed.FailureOfAsync(bed.Options));
        Assert.Equal(("slot-missing", "cdc slot reset"), (gap.GapKind, gap.Remedy));
    }

    [Fact]
    public async Task A_publication_dropped_while_running_is_a_gap_not_an_endless_retry()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        // It passes over what it cannot decode, and says nothing to the reader: TableWatch finds it (PublicationGapTests).
        if (await bed.ScalarAsync<bool>("SELECT current_setting('server_version_num')::int >= 180000"))
            return;
        await bed.RunAsync("DROP PUBLICATION cdc_test");
        await bed.RunAsync("INSERT INTO card (code) VALUES ('a')");
        var gap = Assert.IsType<DeclaredGapException>(await StreamTestBed.FailureOfAsync(bed.Options));
        Assert.Equal("publication-missing", gap.GapKind);
    }

    [Fact]
    public async Task A_slot_in_use_is_something_to_wait_for()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await using var first = await bed.StartAsync();
        var setup = new SlotSetup(bed.Options, bed.Entities);
        await Eventually.True("the slot is in use", async () => (await setup.ReadAsync(Ct))!.IsActive, ct: Ct);
        var failure = await StreamTestBed.FailureOfAsync(bed.Options);
        Assert.Equal(FailureKind.Unavailable, failure!.Kind);
        Assert.Contains($"process {first.WalSenderPid}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminated_walsender_is_something_to_wait_for()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await using var source = await bed.StartAsync();
        var reading = source.ReadAsync(Ct).AsTask();
        await bed.RunAsync($"SELECT pg_terminate_backend({source.WalSenderPid})");
        var error = await Assert.ThrowsAnyAsync<NpgsqlException>(() => reading);
        Assert.Equal(FailureKind.Unavailable, (await StreamDiagnosis.ExplainAsync(bed.Options, error, Ct))!.Kind);
        await source.ConfirmAsync(new Lsn(1), Ct); // The reader has the reason; this is no second failure.
    }

    [Fact]
    public async Task The_decoder_gets_the_memory_that_is_configured()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        var options = bed.Options with { LogicalDecodingWorkMem = "77 MB" };
        await using var connection = new NpgsqlConnection(
            ReplicationConnectionString.For(options, ReplicationTimeouts.Default, new ReplicatedServer(new Version(14, 0)))
        );
        await connection.OpenAsync(Ct);
        Assert.Equal("77MB|1min", await ShowAsync(connection));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static async Task<string> ShowAsync(NpgsqlConnection connection) =>
        await connection
            .Statement("SELECT current_setting('logical_decoding_work_mem') || '|' || current_setting('wal_sender_timeout')")
            .ScalarAsync<string>(Ct);

    private static Task<DateTime> ReplyTimeAsync(StreamTestBed bed, ReplicationSource source) =>
        bed.ScalarAsync<DateTime>($"SELECT reply_time FROM pg_stat_replication WHERE pid = {source.WalSenderPid}");

    private static Task ConfirmedAsync(StreamTestBed bed, Lsn lsn) =>
        Eventually.True(
            $"the slot is confirmed at {lsn}",
            async () => (await new SlotSetup(bed.Options, bed.Entities).ReadAsync(Ct))!.ConfirmedFlushLsn == lsn,
            ct: Ct
        );
}
