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
}
