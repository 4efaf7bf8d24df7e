using Cdc.Core.Operations;

namespace Cdc.Api.Operations;

/// <param name="Pending">Changes behind. What is captured and waits is counted; what is still in the source's log cannot be, and is
/// estimated from its bytes.</param>
/// <param name="PendingIsEstimated">Some of it is.</param>
/// <param name="Failed">Rows in quarantine.</param>
/// <param name="Synced">Changes applied today (UTC).</param>
/// <param name="SyncRate">synced / (pending + synced); null while both are 0 or pending is not known.</param>
internal sealed record SyncStats(DateTimeOffset At, long? Pending, bool PendingIsEstimated, long Failed, long Synced, double? SyncRate)
{
    /// <summary>What a change of these tables writes in Odoo's log, indexes and commit included.</summary>
    private const long BytesOfChange = 400;

    /// <summary>What heartbeats alone keep an idle source ahead.</summary>
    private const long IdleBytes = 16 << 10;

    public static SyncStats Of(StatusReport report, long synced, ApiParts parts)
    {
        var waiting = parts.Waiting(report);
        var estimated = report.BytesBehind is { } bytes
            ? bytes <= IdleBytes
                ? 0
                : bytes / BytesOfChange
            : (long?)null;
        var pending = estimated is null ? waiting : Math.Max(estimated.Value, waiting ?? 0);
        double? rate = pending is { } p && p + synced > 0 ? Math.Round((double)synced / (p + synced), 6) : null;
        return new SyncStats(report.At, pending, estimated > 0, report.Entities.Sum(e => e.Quarantine), synced, rate);
    }
}
