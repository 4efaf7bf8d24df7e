namespace Cdc.Capture.Source;

/// <param name="HasMissing">The column was added with a default that old rows do not hold (atthasmissing): no event carried their new
/// value.</param>
internal sealed record ProbedColumn(string Name, int Number, uint TypeOid, bool HasMissing);

/// <summary>A source table's definition now. A difference that no event explains means that rows changed unseen.</summary>
/// <param name="RelationOid">Another one: the table was dropped and created again.</param>
/// <param name="RelFileNode">Another one: the table was rewritten (ALTER … TYPE … USING, TRUNCATE, VACUUM FULL, CLUSTER).</param>
/// <param name="Columns">The mapped ones that exist, by number.</param>
/// <param name="EstimatedRows">From the statistics, scaled to the present size; counted where there are none or the table is small.</param>
/// <param name="HidesRows">Row security applies to our role: a read would not see everything that the stream brings.</param>
/// <param name="HasDeferredKey">The key's only unique index is that of a DEFERRABLE constraint.</param>
internal sealed record ProbedTable(
    uint RelationOid,
    uint RelFileNode,
    IReadOnlyList<ProbedColumn> Columns,
    long EstimatedRows,
    bool HidesRows,
    bool MaySelect,
    bool HasDeferredKey
);
