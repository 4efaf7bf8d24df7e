using Cdc.Core.Operations;
using Cdc.Engine.Tables;

namespace Cdc.Api.Operations;

/// <param name="Pending">Changes behind. What is captured and waits is counted; what is still in the source's log cannot be, and is
/// estimated from its bytes.</param>
/// <param name="PendingIsEstimated">Some of it is.</param>
/// <param name="Failed">Rows in quarantine.</param>
/// <param name="Synced">Changes applied today (UTC).</param>
/// <param name="SyncRate">synced / (pending + synced); null while both are 0 or pending is not known.</param>
/// <param name="Reverse">The other direction: what flows back to Odoo. Null: nothing does.</param>
internal sealed record SyncStats(
    DateTimeOffset At,
    long? Pending,
    bool PendingIsEstimated,
    long Failed,
    long Synced,
    double? SyncRate,
    ReverseStats? Reverse
)
{
    /// <summary>What a change of these tables writes in Odoo's log, indexes and commit included.</summary>
    private const long BytesOfChange = 400;

    /// <summary>What heartbeats alone keep an idle source ahead.</summary>
    private const long IdleBytes = 16 << 10;

    public static SyncStats Of(StatusReport report, long synced, WaitingChanges? own, ApiParts parts)
    {
        var waiting = parts.Waiting(report);
        var estimated = report.BytesBehind is { } bytes
            ? bytes <= IdleBytes
                ? 0
                : bytes / BytesOfChange
            : (long?)null;
        var pending = estimated is null ? waiting : Math.Max(estimated.Value, waiting ?? 0);
        double? rate = pending is { } p && p + synced > 0 ? Math.Round((double)synced / (p + synced), 6) : null;
        return new SyncStats(report.At, pending, estimated > 0, report.Entities.Sum(e => e.Quarantine), synced, rate, ReverseStats.Of(own));
    }
}

/// <param name="Pending">Own changes of the engine that are to be sent.</param>
/// <param name="Answered">Odoo has said that it has them, and its row has not shown them yet.</param>
/// <param name="Failed">At which cards have stopped: Odoo refused them.</param>
/// <param name="OldestSeconds">Age of the oldest of all these; null: there is none.</param>
internal sealed record ReverseStats(long Pending, long Answered, long Failed, double? OldestSeconds)
{
    public static ReverseStats? Of(WaitingChanges? own) =>
        own is null ? null : new ReverseStats(own.Unsent, own.Answered, own.Refused, own.OldestSeconds);
}
