namespace Cdc.Odoo.Calls;

/// <summary>
/// Odoo's ids are int4. One of the engine's own (from 2^32) in their place would be an error of PostgreSQL, or another record.
/// </summary>
internal static class OdooId
{
    public static void Check(long id)
    {
        if (id is < 1 or > int.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(id), id, "No id of Odoo.");
    }

    /// <summary>Odoo answers <c>write</c> without ids with true, and writes nothing.</summary>
    public static void Check(IReadOnlyList<long> ids)
    {
        ArgumentOutOfRangeException.ThrowIfZero(ids.Count);
        foreach (var id in ids)
            Check(id);
    }
}
