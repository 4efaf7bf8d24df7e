using Cdc.Tests.Integration.Pipeline.Histories;
using Cdc.Tests.Support.Pipeline;
using Xunit;

namespace Cdc.Tests.Integration.Crash;

/// <summary>
/// "Once" made visible: the source counts the updates of each card in a column that is not mapped, the engine counts those that it applied.
/// Exact for cards whose first row came through the stream, or was loaded before its first update, and that never broke a rule.
/// </summary>
internal static class UpdateCount
{
    /// <summary>Run it in the source before the first row.</summary>
    public const string Setup = HistoryPlan.Setup;

    public static async Task AssertAppliedOnceAsync(PipelineBed bed, CancellationToken ct)
    {
        var counted = await bed.Source.RowsAsync("SELECT id, updates FROM loyalty_card WHERE NOT was_broken ORDER BY id", ct);
        var keys = string.Join(',', counted.Select(c => c.Split('|')[0]).DefaultIfEmpty("0"));
        Assert.Equal(
            counted,
            await bed.Engine.RowsAsync($"SELECT id, sync_version FROM loyalty_cards WHERE id IN ({keys}) ORDER BY id", ct)
        );
    }
}
