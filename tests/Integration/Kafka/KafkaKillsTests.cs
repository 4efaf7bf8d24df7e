using Cdc.Log.Kafka;
using Cdc.Tests.Integration.Crash;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Real <c>cdc capture</c> and <c>cdc apply</c> that are killed at named places, or stopped and woken when another has taken over.</summary>
public sealed class KafkaKillsTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("capture", "after-log-session")]
    [InlineData("capture", "after-truncated-key:7")]
    [InlineData("apply", "in-rebalance")]
    [InlineData("apply", "after-flush")]
    [InlineData("apply", "after-rows-before-checkpoint")]
    [InlineData("apply", "after-checkpoint-before-commit")]
    [InlineData("apply", "after-commit")]
    [InlineData("apply", "after-truncate")]
    public async Task Killed_at_a_named_place_every_change_is_applied_once(string command, string place)
    {
        await using var bed = await CreateAsync();
        if (place == "after-truncate")
            bed.Kafka = bed.Kafka with { Truncates = TruncateRecords.Record };
        var first = await bed.StartProcessAsync("capture", null, Ct);
        await bed.StartProcessAsync("apply", null, Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        // A member that joins beside the other one: partitions move. A second capture waits for the slot.
        var killed = await bed.StartProcessAsync(command, place, Ct);
        // At a truncate capture waits for the engine: its session must last for that.
        var takesOver = place == "after-log-session";
        if (command == "capture" && !takesOver)
            await first.StopAsync(Signal.Terminate, Ct);
        await Eventually.True(
            $"{command} is killed {place}",
            async () =>
            {
                await WriteAsync(bed);
                if (takesOver)
                    await EndWalsenderAsync(bed);
                return killed.HasExited;
            },
            () => Task.FromResult(killed.Tail),
            ct: Ct
        );
        Assert.Equal(128 + (int)Signal.Kill, await killed.WaitAsync(Ct));
        await bed.StartProcessAsync(command, null, Ct);
        await WriteAsync(bed);
        await AssertAppliedOnceAsync(bed);
    }

    [Fact]
    public async Task A_capture_that_wakes_up_after_another_took_over_changes_nothing()
    {
        await using var bed = await CreateAsync();
        var first = await bed.StartProcessAsync("capture", null, Ct);
        await bed.StartProcessAsync("apply", null, Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.StartProcessAsync("capture", null, Ct);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var writing = LoadAsync(bed, enough.Token);
        await bed.Bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        first.Send(Signal.Stop);
        await EndWalsenderAsync(bed);
        await bed.Bed.CaughtUpAsync(Ct);
        first.Send(Signal.Continue);
        await EndWalsenderAsync(bed);
        await enough.CancelAsync();
        await writing;
        await AssertAppliedOnceAsync(bed);
    }

    private async Task<KafkaPipelineBed> CreateAsync()
    {
        var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.Bed.EngineOptions = bed.Bed.EngineOptions with { BatchRows = 5 };
        bed.Bed.SnapshotOptions = bed.Bed.SnapshotOptions with { ChunkRows = 8 };
        await bed.Bed.Source.ExecuteAsync(
            UpdateCount.Setup
                + """
                INSERT INTO loyalty_card (program_id, code, points) SELECT 1, 'card ' || i, i FROM generate_series(1, 20) i;
                """,
            Ct
        );
        return bed;
    }

    private static async Task LoadAsync(KafkaPipelineBed bed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            // A table that is truncated all the time is never read to its end.
            await WriteAsync(bed, before: "");
            await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
        }
    }

    /// <summary>A little of everything.</summary>
    private static Task WriteAsync(KafkaPipelineBed bed, string before = "TRUNCATE loyalty_point_history;") =>
        bed.Bed.Source.ExecuteAsync(
            $"""
            {before}
            UPDATE loyalty_card SET points = points + 1;
            INSERT INTO loyalty_point_history (loyalty_card_id, points_balance, origin) SELECT id, points, 'order' FROM loyalty_card;
            """,
            Ct
        );

    /// <summary>Whoever holds the slot loses its connection, as if its host had gone.</summary>
    private static Task EndWalsenderAsync(KafkaPipelineBed bed) =>
        bed.Bed.Source.ExecuteAsync(
            $"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{bed.Bed.SourceOptions.SlotName}' AND active",
            Ct
        );

    private static async Task AssertAppliedOnceAsync(KafkaPipelineBed bed)
    {
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        await UpdateCount.AssertAppliedOnceAsync(bed.Bed, Ct);
    }
}
