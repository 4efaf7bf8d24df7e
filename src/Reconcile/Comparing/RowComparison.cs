using Cdc.Core.Entities;
using Cdc.Reconcile.Fences;
using Npgsql;

namespace Cdc.Reconcile.Comparing;

/// <summary>Single rows compared value by value within a fence, without a hash.</summary>
internal static class RowComparison
{
    /// <param name="source">For the catalog: it is not read in the fence's transaction.</param>
    /// <returns>The differences: nothing for keys that are equal, or on neither side. And which keys each side has.</returns>
    public static async Task<(
        IReadOnlyList<DriftRecord> Drift,
        IReadOnlyCollection<long> InSource,
        IReadOnlyCollection<long> InEngine
    )> ReadAsync(NpgsqlDataSource source, FencedSnapshots fence, EntityDeclaration entity, long[] keys, CancellationToken ct)
    {
        await using var catalog = await source.OpenConnectionAsync(ct);
        var types = await ComparedSession.TypesAsync(catalog, entity, ct);
        CanonicalColumn[] columns = [.. entity.Columns.Select(c => CanonicalColumn.Of(c, types))];
        var odoo = await new SideReader(fence.Source, SideSql.Source(entity, columns), []).ValuesAsync(keys, ct);
        var engine = await new SideReader(fence.Engine, SideSql.Engine(entity, columns), []).ValuesAsync(keys, ct);
        var drift = keys.SelectMany(key =>
            RowDifferences.Of(entity.Name, columns, key, odoo.GetValueOrDefault(key), engine.GetValueOrDefault(key))
        );
        return ([.. drift], odoo.Keys, engine.Keys);
    }
}
