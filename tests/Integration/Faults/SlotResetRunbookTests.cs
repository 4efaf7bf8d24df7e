using System.Text.RegularExpressions;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>ops/runbooks/slot-reset.md, carried out as it is written.</summary>
public sealed partial class SlotResetRunbookTests(OwnServers servers) : IClassFixture<OwnServers>
{
    [Fact]
    public async Task Every_command_of_the_runbook_runs_in_order_and_in_the_end_source_and_engine_are_equal()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.FollowAsync();
        await LostSlot.MakeAsync(scene);
        await scene.ChangeAsync();
        await scene.StopsWithGapAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct), "slot-lost");

        var blocks = ShellBlocks()
            .Matches(await File.ReadAllTextAsync(SourceTree.PathOf("ops/runbooks/slot-reset.md"), Scene.Ct))
            .Select(m => m.Groups[1].Value.Trim())
            .ToList();
        Assert.Contains("cdc slot reset --yes", blocks);
        WatchedProcess? run = null;
        foreach (var block in blocks)
        {
            var (code, output) = await ShellAsync(scene, block);
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

    /// <summary>With a <c>cdc</c> on the path, as the runbook's reader has it.</summary>
    private static async Task<(int Code, string Output)> ShellAsync(Scene scene, string script)
    {
        var folder = Directory.CreateTempSubdirectory("cdc-runbook-");
        try
        {
            var wrapper = Path.Combine(folder.FullName, "cdc");
            await File.WriteAllTextAsync(
                wrapper,
                $"#!/bin/sh\nexec '{CdcProcess.DotnetPath}' '{CdcProcess.ProgramPath}' \"$@\"\n",
                Scene.Ct
            );
            var environment = new Dictionary<string, string?>(scene.Bed.Environment())
            {
                ["PATH"] = $"{folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}",
            };
            await using var process = await WatchedProcess.StartAsync(
                new WatchedCommand("/bin/sh", "-ec", $"chmod +x '{wrapper}'\n{script}") { Environment = environment },
                Scene.Ct
            );
            var code = await process.WaitAsync(Scene.Ct);
            return (code, process.Tail);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [GeneratedRegex("^```sh\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ShellBlocks();
}
