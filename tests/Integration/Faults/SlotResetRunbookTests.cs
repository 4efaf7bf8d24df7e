using System.Text.RegularExpressions;
using Cdc.Tests.Integration.OnCall;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>ops/runbooks/slot-reset.md, carried out as it is written.</summary>
public sealed class SlotResetRunbookTests(OwnServers servers) : IClassFixture<OwnServers>
{
    [Fact]
    public async Task Every_command_of_the_runbook_runs_in_order_and_in_the_end_source_and_engine_are_equal()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.FollowAsync();
        await LostSlot.MakeAsync(scene);
        await scene.ChangeAsync();
        await scene.StopsWithGapAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct), "slot-lost");

        var runbook = await Runbook.OpenAsync("ops/runbooks/slot-reset.md", Scene.Ct);
        var blocks = runbook.Blocks.Where(b => b.Language == "sh").Select(b => b.Text).ToList();
        Assert.Contains("cdc slot reset --yes", blocks);
        using var shell = new RunbookShell();
        WatchedProcess? run = null;
        foreach (var block in blocks)
        {
            var (code, output) = await shell.RunAsync(block, scene.Bed.Environment(), Scene.Ct);
            // Before the reset the check names the lost slot, and must name nothing else; 'slot show' says a gap by its exit code, too.
            if (block == "cdc check" && code == 4)
                Assert.Equal(1, Regex.Count(output, "^error ", RegexOptions.Multiline));
            else if (block == "cdc slot show" && run is null)
                Assert.Equal(5, code);
            else
                Assert.True(code == 0, $"'{block}' ended with exit code {code}: {output}");
            if (block != "cdc slot reset --yes")
                continue;
            run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
            await scene.CaughtUpAsync(run);
        }
        Assert.NotNull(run);
        await scene.EndsEqualAsync(run);
    }
}
