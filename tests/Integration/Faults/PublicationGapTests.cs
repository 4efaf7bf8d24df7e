using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

public sealed class PublicationGapTests(TestServers servers)
{
    [Fact]
    public async Task A_publication_dropped_while_running_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var run = await scene.FollowingAsync();
        await DropAsync(scene);
        await scene.ChangeAsync();
        await scene.StopsWithGapAsync(run, "publication-missing");
        await scene.GoesOnAfterResetAsync("publication-missing");
    }

    [Fact]
    public async Task A_publication_dropped_on_an_idle_source_is_a_gap_too()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var run = await scene.FollowingAsync();
        await DropAsync(scene);
        await scene.StopsWithGapAsync(run, "publication-missing");
    }

    [Fact]
    public async Task A_publication_that_was_missing_while_rows_changed_is_a_gap_though_it_is_there_again()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        await DropAsync(scene);
        await scene.ChangeAsync();
        await CreateAsync(scene);
        if (await scene.Source.ScalarAsync<bool>("SELECT current_setting('server_version_num')::int < 180000", Scene.Ct))
            await scene.GoesOnAfterResetAsync("publication-recreated");
        else
        {
            // It passes over what it cannot decode, without an error: every table is read again.
            var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
            await scene.Bed.EqualByItselfAsync(Scene.Ct);
            Assert.Equal(0, await run.StopAsync(Signal.Terminate, Scene.Ct));
        }
    }

    [Fact]
    public async Task A_publication_created_again_between_two_transactions_loses_nothing()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var run = await scene.FollowingAsync();
        run.Send(Signal.Stop);
        await DropAsync(scene);
        await CreateAsync(scene);
        run.Send(Signal.Continue);
        await scene.ChangeAsync();
        await scene.EndsEqualAsync(run);
    }

    private static Task DropAsync(Scene scene) => scene.Source.ExecuteAsync($"DROP PUBLICATION {scene.Publication}", Scene.Ct);

    private static Task CreateAsync(Scene scene) =>
        scene.Source.ExecuteAsync(
            $"CREATE PUBLICATION {scene.Publication} FOR TABLE loyalty_card, loyalty_point_move, loyalty_point_history, loyalty_program",
            Scene.Ct
        );
}
