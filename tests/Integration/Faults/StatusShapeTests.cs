using System.Text.Json;
using System.Text.RegularExpressions;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary><c>cdc status --json</c> has the names that docs/commands.md promises, whatever state things are in.</summary>
public sealed partial class StatusShapeTests(TestServers servers)
{
    private const string Nowhere = ";Port=1;Timeout=2";

    [Fact]
    public async Task Every_promised_name_is_there_while_new_running_stopped_loading_in_a_gap_and_with_a_server_down()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await IsAsync(scene, "new", false);
        var run = await scene.FollowingAsync();
        await IsAsync(scene, "streaming", true);
        await run.StopAsync(Signal.Terminate, Scene.Ct);
        await IsAsync(scene, "streaming", false);

        await scene.CommandAsync(0, "slot", "reset", "--yes");
        var loading = await scene.StatusAsync();
        Assert.All(loading.GetProperty("entities").EnumerateArray(), e => Assert.Equal("loading", e.GetProperty("state").GetString()));
        HasShape(loading);

        await scene.DropSlotAsync();
        await scene.StopsWithGapAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct), "slot-missing");
        Assert.Equal("slot-missing", (await IsAsync(scene, "gap", false)).GetProperty("engine").GetProperty("gapKind").GetString());

        var (source, engine) = (scene.Bed.SourceOptions, scene.Bed.EngineOptions);
        scene.Bed.SourceOptions = source with { ConnectionString = source.ConnectionString + Nowhere };
        Assert.False((await IsAsync(scene, "gap", null)).GetProperty("sourceServer").GetProperty("readable").GetBoolean());
        scene.Bed.EngineOptions = engine with { ConnectionString = engine.ConnectionString + Nowhere };
        HasShape(JsonDocument.Parse(await scene.CommandAsync(7, "status", "--json")).RootElement);
        scene.Bed.SourceOptions = source;
        Assert.False((await IsAsync(scene, "unknown", false)).GetProperty("engineServer").GetProperty("readable").GetBoolean());
    }

    private static async Task<JsonElement> IsAsync(Scene scene, string state, bool? running)
    {
        var status = await scene.StatusAsync();
        Assert.Equal(state, status.GetProperty("state").GetString());
        Assert.Equal(
            running switch
            {
                true => JsonValueKind.True,
                false => JsonValueKind.False,
                null => JsonValueKind.Null,
            },
            status.GetProperty("running").ValueKind
        );
        HasShape(status);
        return status;
    }

    private static void HasShape(JsonElement status)
    {
        var promised = JsonDocument
            .Parse(Block().Match(File.ReadAllText(SourceTree.PathOf("docs/commands.md"))).Groups[1].Value)
            .RootElement;
        Compare("status", promised, status);
    }

    /// <summary>A part that is not known is null, or an empty list; one that is there has all its names.</summary>
    private static void Compare(string path, JsonElement promised, JsonElement actual)
    {
        if (actual.ValueKind == JsonValueKind.Null)
            return;
        if (promised.ValueKind == JsonValueKind.Object)
            foreach (var property in promised.EnumerateObject())
            {
                Assert.True(actual.TryGetProperty(property.Name, out var value), $"{path}.{property.Name} is missing in {actual}");
                Compare($"{path}.{property.Name}", property.Value, value);
            }
        else if (promised.ValueKind == JsonValueKind.Array)
            foreach (var element in actual.EnumerateArray())
                Compare(path + "[]", promised[0], element);
    }

    [GeneratedRegex("### `cdc status --json`\\s+```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
