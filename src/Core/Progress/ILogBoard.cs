using Cdc.Core.Changes;

namespace Cdc.Core.Progress;

/// <summary>
/// What a capture session sends to the appliers outside the data topics: written to the engine when everything before it was
/// acknowledged, and before anything after it is appended. Waits while the engine is unreachable.
/// </summary>
public interface ILogBoard
{
    /// <param name="vector">Everything before the fence's marker is below it, everything after it is not.</param>
    Task FenceAsync(FenceChange fence, IReadOnlyDictionary<string, long> vector, CancellationToken ct);

    Task TableStateAsync(TableStateChange change, CancellationToken ct);

    /// <summary>
    /// Keys that a table's rows have, in rising order, in pages: all that the engine knows of once it has applied what lies below the
    /// vector. Waits for that.
    /// </summary>
    /// <param name="entities">That read the table, by index in the declaration.</param>
    IAsyncEnumerable<IReadOnlyList<KnownKey>> KeysAsync(
        IReadOnlyList<int> entities,
        IReadOnlyDictionary<string, long> vector,
        CancellationToken ct
    );
}

/// <summary>A key that the engine knows.</summary>
/// <param name="Spelled">As in <see cref="RowChange.SpelledKey"/>.</param>
public readonly record struct KnownKey(long Number, byte[]? Spelled);
