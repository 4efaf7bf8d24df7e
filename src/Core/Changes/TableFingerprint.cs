namespace Cdc.Core.Changes;

/// <summary>
/// Shows that a source table has changed where no event says so: a rewrite (ALTER … TYPE … USING), a column added with a default,
/// a table dropped and created again, or taken out of the publication for a while.
/// </summary>
/// <param name="RelationOid">OID in pg_class.</param>
/// <param name="FileNode">Changes with every rewrite.</param>
/// <param name="Columns">The mapped columns (attnum, type, missing value) and the membership in the publication, as text.</param>
/// <param name="BarrierXid">Every transaction below this 64-bit xid may have written to the table unseen: chunks wait for their
/// end.</param>
public sealed record TableFingerprint(long RelationOid, long FileNode, string Columns, ulong BarrierXid)
{
    /// <summary>Ends <see cref="Columns"/> where rows may meet at one key within a transaction.</summary>
    public const string DeferredKey = ";deferred-key";

    /// <summary>The key is unique at the end of a statement or of a transaction only (DEFERRABLE).</summary>
    public bool HasDeferredKey => Columns.EndsWith(DeferredKey, StringComparison.Ordinal);
}
