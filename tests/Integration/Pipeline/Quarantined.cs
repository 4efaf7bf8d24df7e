using System.Text.Json;
using Cdc.Tests.Support.Pipeline;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>What a bed's engine holds back, and the operator's commands on it.</summary>
internal static class Quarantined
{
    /// <summary>Lines of <c>entity|key|reason</c>.</summary>
    public static Task<IReadOnlyList<string>> EntriesAsync(this PipelineBed bed, CancellationToken ct) =>
        bed.Engine.RowsAsync("SELECT entity, key, reason FROM cdc.quarantine ORDER BY entity, key", ct);

    public static Task NoneQuarantinedAsync(this PipelineBed bed, CancellationToken ct) =>
        Eventually.True(
            "no row is in quarantine",
            async () => (await bed.EntriesAsync(ct)).Count == 0,
            async () => string.Join("; ", await bed.EntriesAsync(ct)),
            ct: ct
        );

    /// <summary>Runs a <c>cdc</c> command against the bed, and returns what it wrote.</summary>
    public static async Task<string> CommandAsync(this PipelineBed bed, CancellationToken ct, params string[] arguments)
    {
        var (exitCode, output) = await CdcProcess.RunAsync(arguments, bed.Environment(), ct);
        Assert.True(exitCode == 0, $"cdc {string.Join(' ', arguments)}: exit code {exitCode}{Environment.NewLine}{output}");
        return output;
    }

    /// <summary>The same for a command that writes JSON.</summary>
    public static async Task<JsonElement> JsonAsync(this PipelineBed bed, CancellationToken ct, params string[] arguments) =>
        JsonDocument.Parse(await bed.CommandAsync(ct, [.. arguments, "--json"])).RootElement;

    /// <summary>This entity's part of <c>cdc status --json</c>.</summary>
    public static async Task<JsonElement> StatusAsync(this PipelineBed bed, string entity, CancellationToken ct) =>
        (await bed.JsonAsync(ct, "status"))
            .GetProperty("entities")
            .EnumerateArray()
            .Single(e => e.GetProperty("entity").GetString() == entity);
}
