using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Fences;

/// <summary>
/// Apply's part of a fence over the Kafka log. Every partition stops at the fence's vector; the worker that sees first that all have come
/// to it says so to the process that compares, and the one that sees that it has had its time breaks it.
/// </summary>
public static class PartitionFences
{
    /// <returns>True: partitions still stop at one.</returns>
    public static async Task<bool> MoveAsync(NpgsqlConnection connection, TimeSpan holdTimeout, CancellationToken ct)
    {
        if (!await FenceTable.HasVectorAsync(connection, ct))
            return false;
        await FenceTable.MoveVectorsAsync(connection, holdTimeout, ct);
        return await FenceTable.HasVectorAsync(connection, ct);
    }
}
