using Cdc.Core.Entities;
using Cdc.Reconcile.Fences;
using Cdc.Tests.Support.Equality;

namespace Cdc.Tests.Support.Pipeline;

/// <summary>Fences over a bed's two databases.</summary>
public static class Fenced
{
    public static FenceGate Gate(this PipelineBed bed, FenceOptions? options = null) =>
        new(bed.Source.ConnectionString, bed.Engine.ConnectionString, options ?? new FenceOptions());

    public static EntityDeclaration Entity(this PipelineBed bed, string name) =>
        bed.Entities.Find(name) ?? throw new ArgumentException($"There is no entity {name}.", nameof(name));

    /// <summary>
    /// Opens a fence of a whole entity, and compares all columns there; returns how many keys were compared and how many were in flight.
    /// </summary>
    /// <exception cref="NotEqualException">Source and engine differ.</exception>
    public static async Task<(long Compared, int InFlight)> AssertEqualAtFenceAsync(
        this PipelineBed bed,
        string entity,
        CancellationToken ct,
        FenceOptions? options = null
    )
    {
        await using var fence = await bed.Gate(options).OpenAsync(bed.Entity(entity), default, ct);
        var report = await new EqualityCheck(bed.Entities).CompareAsync(bed.Entity(entity), fence, ct);
        return report.AreEqual ? (report.Entities[0].Rows, fence.InFlight.Keys.Count) : throw new NotEqualException(report);
    }
}
