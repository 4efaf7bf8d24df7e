using Cdc.Reconcile.Fences;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Crash;

/// <summary>
/// The real process is killed with SIGKILL at every named place, and started again. With <c>CDC_TEST_LONG=1</c> at the first and at a
/// later time the place is reached.
/// </summary>
public sealed class CrashPointsTests(TestServers servers)
{
    private const int Killed = 128 + (int)Signal.Kill;

    /// <summary>Each place is reached within some dozens, or never.</summary>
    private const int MostRounds = 2000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Places
    {
        get
        {
            var places = new TheoryData<string>();
            foreach (var place in CrashPlaces.All)
            {
                places.Add(place);
                // A start and the preparation of a source reach their places once.
                if (Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1" && !IsOfStart(place))
                    places.Add(place + ":3");
            }
            return places;
        }
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Killed_at_a_named_place_and_started_again_every_change_is_applied_once(string place)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        // Some rows are a batch and a chunk, so that transactions and tables are cut.
        bed.EngineOptions = bed.EngineOptions with
        {
            BatchRows = 5,
        };
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 8 };
        await bed.Source.ExecuteAsync(
            UpdateCount.Setup
                + """
                INSERT INTO loyalty_card (program_id, code, points) SELECT 1, 'card ' || i, i FROM generate_series(1, 20) i;
                INSERT INTO loyalty_point_move (loyalty_card_id, remaining_point, state) SELECT i, i, 'active' FROM generate_series(1, 20) i;
                """,
            Ct
        );

        var process = await bed.StartProcessAsync(place, Ct);
        var loaded = await LoadedAsync(bed, process);
        var isOfFence = place.Contains("fence", StringComparison.Ordinal);
        for (var round = 1; loaded && !process.HasExited; round++)
        {
            Assert.True(round <= MostRounds, $"The pipeline in this process does not come by {place}.");
            // Behind a large transaction a small one is not alone.
            if (place.StartsWith("after-commit-at-once", StringComparison.Ordinal))
                await WriteLittleAsync(bed, round);
            else
                await WriteAsync(bed, round);
            if (isOfFence)
                await TryFenceAsync(bed);
        }
        Assert.Equal(Killed, await process.WaitAsync(Ct));
        // Rows that change before they are loaded would not be counted by the engine.
        if (loaded)
            await WriteAsync(bed, 1000);

        await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        await WriteAsync(bed, 1001);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        await UpdateCount.AssertAppliedOnceAsync(bed, Ct);
        await AssertAnsweredAsync(bed);
        if (isOfFence)
            await bed.AssertEqualAtFenceAsync("card", Ct);
    }

    [Fact]
    public void Places_are_found_in_the_sources() => Assert.Contains("after-rows-before-checkpoint", CrashPlaces.All);

    private static bool IsOfStart(string place) => place is "after-generation-begun" or "after-publication" or "after-slot";

    /// <summary>False if it was killed before.</summary>
    private static async Task<bool> LoadedAsync(PipelineBed bed, WatchedProcess process)
    {
        await Eventually.True(
            "the tables are loaded, or the process is gone",
            async () => process.HasExited || await IsLoadedAsync(bed),
            () => Task.FromResult(process.Tail),
            ct: Ct
        );
        return await IsLoadedAsync(bed);
    }

    private static Task<bool> IsLoadedAsync(PipelineBed bed) =>
        bed.Engine.ScalarAsync<bool>("SELECT count(*) FILTER (WHERE state = 'streaming') = 4 FROM cdc.tables", Ct);

    /// <summary>A little of everything that reaches a place: small and large transactions, a truncate, a rewrite, a request.</summary>
    private static async Task WriteAsync(PipelineBed bed, int round)
    {
        await WriteLittleAsync(bed, round);
        await bed.Source.ExecuteAsync(
            $"""
            UPDATE loyalty_card SET points = points + 1;
            INSERT INTO loyalty_point_history (loyalty_card_id, points_balance, origin) SELECT id, points, 'round {round}' FROM loyalty_card;
            """,
            Ct
        );
        if (round % 4 == 1)
            await bed.Engine.ExecuteAsync(
                "INSERT INTO cdc.requests (kind, entity) SELECT 'snapshot', 'card' WHERE NOT EXISTS (SELECT FROM cdc.requests WHERE state <> 'done')",
                Ct
            );
        if (round % 4 == 3)
            await bed.Source.ExecuteAsync("TRUNCATE loyalty_point_history", Ct);
    }

    private static Task WriteLittleAsync(PipelineBed bed, int round) =>
        bed.Source.ExecuteAsync($"UPDATE loyalty_card SET points = points + 1 WHERE id = 1 + {round} % 20", Ct);

    /// <summary>It opens, and shows no difference, or the process is killed before it opens.</summary>
    private static async Task TryFenceAsync(PipelineBed bed)
    {
        try
        {
            await bed.AssertEqualAtFenceAsync("card", Ct, new FenceOptions { Timeout = TimeSpan.FromSeconds(2), Attempts = 1 });
        }
        catch (FenceException)
        {
            // No process is there to answer.
        }
    }

    private static Task AssertAnsweredAsync(PipelineBed bed) =>
        Eventually.True(
            "every request is answered",
            () => bed.Engine.ScalarAsync<bool>("SELECT NOT EXISTS (SELECT FROM cdc.requests WHERE state <> 'done')", Ct),
            ct: Ct
        );
}
