using System.Text.Json;
using Cdc.Host;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Commands over a pipeline's log, typed in this process.</summary>
internal static class KafkaCommands
{
    public static Task<CommandRun> RunAsync(this KafkaPipelineBed bed, CancellationToken ct, params string[] args) =>
        RunAsync(bed.Environment(), ct, args);

    public static Task<CommandRun> RunAsync(IReadOnlyDictionary<string, string?> environment, CancellationToken ct, params string[] args) =>
        CommandRun.StartAsync(
            Composition.Connect(),
            environment.Where(e => e.Value is not null).ToDictionary(e => e.Key, e => e.Value!),
            null,
            new StringWriter(),
            args,
            ct
        );

    /// <summary>What <c>cdc lag --json</c> says.</summary>
    public static async Task<JsonElement> LagAsync(this KafkaPipelineBed bed, CancellationToken ct)
    {
        var run = await bed.RunAsync(ct, "lag", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonDocument.Parse(run.Out).RootElement;
    }
}
