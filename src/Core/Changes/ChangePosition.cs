namespace Cdc.Core.Changes;

/// <summary>
/// The total order of changes. Never the change's own LSN (transactions interleave in the WAL), never a clock.
/// Rows of a transaction count from 0; rows read in a chunk take negative ordinals at their marker's LSN, because a marker's LSN
/// can equal the commit LSN of the next transaction.
/// </summary>
public readonly record struct ChangePosition(int Generation, Lsn CommitLsn, long Ordinal) : IComparable<ChangePosition>
{
    public static readonly ChangePosition Origin;

    public int CompareTo(ChangePosition other)
    {
        var order = Generation.CompareTo(other.Generation);
        if (order == 0)
            order = CommitLsn.CompareTo(other.CommitLsn);
        return order == 0 ? Ordinal.CompareTo(other.Ordinal) : order;
    }

    public static bool operator <(ChangePosition a, ChangePosition b) => a.CompareTo(b) < 0;

    public static bool operator >(ChangePosition a, ChangePosition b) => a.CompareTo(b) > 0;

    public static bool operator <=(ChangePosition a, ChangePosition b) => a.CompareTo(b) <= 0;

    public static bool operator >=(ChangePosition a, ChangePosition b) => a.CompareTo(b) >= 0;

    public override string ToString() => $"{Generation}:{CommitLsn}:{Ordinal}";
}
