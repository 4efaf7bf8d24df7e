using Cdc.Core.Changes;
using Npgsql;

namespace Cdc.Reconcile.Fences;

/// <summary>
/// Both sides at one fence: what these two transactions show differs by nothing but the keys in flight, drift, and what the engine itself
/// knows to be missing (quarantine, holes, ranges that are loading), which its snapshot shows too.
/// </summary>
public sealed class FencedSnapshots(NpgsqlConnection source, NpgsqlConnection engine, InFlightKeys inFlight, int generation, Lsn marker)
    : IAsyncDisposable
{
    /// <summary>In a read-only REPEATABLE READ transaction whose snapshot is taken.</summary>
    public NpgsqlConnection Source { get; } = source;

    /// <summary>In a read-only REPEATABLE READ transaction whose snapshot is taken.</summary>
    public NpgsqlConnection Engine { get; } = engine;

    public InFlightKeys InFlight { get; } = inFlight;

    /// <summary>The generation in which the engine follows the source.</summary>
    public int Generation { get; } = generation;

    /// <summary>Where in the source's WAL the two sides are compared.</summary>
    public Lsn Marker { get; } = marker;

    /// <summary>Called when both transactions have ended.</summary>
    internal Func<Task>? Ended { get; set; }

    /// <summary>Ends both transactions by closing their connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Engine.DisposeAsync();
        if (Ended is { } ended)
            await ended();
    }
}
