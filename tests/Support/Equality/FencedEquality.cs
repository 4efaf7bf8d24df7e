using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Engine.Snapshots;
using Cdc.Reconcile.Fences;
using Npgsql;

namespace Cdc.Tests.Support.Equality;

public static class FencedEquality
{
    /// <summary>
    /// One entity at a fence, while others write: exact outside of the keys that the fence says are in flight, and of what the engine
    /// itself knows to be missing.
    /// </summary>
    public static async Task<EqualityReport> CompareAsync(
        this EqualityCheck check,
        EntityDeclaration entity,
        FencedSnapshots fence,
        CancellationToken ct,
        KeyRange range = default
    )
    {
        var unfinished = await UnfinishedRanges.ReadAsync(fence.Engine, entity, ct);
        var holes = await HolesAsync(fence.Engine, entity, ct);
        bool IsLeftOut(long key) => fence.InFlight.Contains(key) || holes.Contains(key) || unfinished.Any(r => r.Contains(key));
        return await check.CompareAsync(entity, fence.Source, fence.Engine, range, IsLeftOut, ct);
    }

    private static async Task<HashSet<long>> HolesAsync(NpgsqlConnection engine, EntityDeclaration entity, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"SELECT key FROM cdc.rereads WHERE entity = {Sql.Literal(entity.Name)}", engine);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var keys = new HashSet<long>();
        while (await reader.ReadAsync(ct))
            keys.Add(reader.GetInt64(0));
        return keys;
    }
}
