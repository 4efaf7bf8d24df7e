using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;

namespace Cdc.Tests.Integration.Kafka;

internal static class KafkaBeds
{
    /// <summary>Fills Odoo, starts both ends, and waits until the engine is equal.</summary>
    public static async Task<RunningEnd> StreamAsync(this KafkaPipelineBed bed, CancellationToken ct)
    {
        await bed.Bed.FillAsync(ct);
        var ends = bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(ct);
        return ends;
    }
}
