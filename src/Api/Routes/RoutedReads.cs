using System.Diagnostics.Metrics;
using Cdc.Api.Metrics;

namespace Cdc.Api.Routes;

/// <summary>Counts who answered reads of cards while a plan runs.</summary>
internal sealed class RoutedReads(ApiMeter meter)
{
    private readonly Counter<long> _reads = meter.Meter.CreateCounter<long>(
        "cdc.cutover.reads",
        "{read}",
        "Reads of a card while a cutover runs, by who answered, and why it was not the other side, where that should have."
    );

    /// <param name="fallback">Null: the side that was to answer did.</param>
    public void Add(string side, string? fallback) => _reads.Add(1, new("side", side), new("fallback", fallback ?? "none"));
}
