using Cdc.Capture.Snapshot;
using Cdc.Core.Fences;

namespace Cdc.Capture.Fences;

/// <summary>A fence from its announcement to Capture until its marker has come back.</summary>
internal sealed class FenceTicket(long number, FenceRequest request) : LedgerTicket(number)
{
    /// <summary>More would make a comparison that leaves most of a table out, and a message of megabytes.</summary>
    private const int MostInFlight = 250_000;

    private volatile string? _failure;

    /// <summary>Its id in the engine.</summary>
    public long Fence => request.Id;
    public override int Entity => request.Entity;

    /// <summary>Its marker is written; where the stream brings it, the ticket is closed.</summary>
    public bool IsMarked { get; set; }

    public IReadOnlySet<long> InFlight { get; private set; } = new HashSet<long>();
    public bool InFlightAll { get; private set; }
    public bool HasTooManyInFlight => InFlight.Count > MostInFlight;

    /// <summary>What the stream found at the marker that makes a comparison impossible; null if nothing.</summary>
    public string? Failure => _failure;

    public override bool Covers(long key) => request.Range.Contains(key);

    public override void SetInFlight(IReadOnlySet<long> keys, bool all) => (InFlight, InFlightAll) = (keys, all);

    public void Fail(string detail) => _failure = detail;
}
