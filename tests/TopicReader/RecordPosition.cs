namespace Cdc.Tests.TopicReader;

/// <summary>Where a change stands among all changes of its table, as <c>source</c> says it.</summary>
public readonly record struct RecordPosition(int Generation, long Lsn, long Ordinal)
{
    public bool IsBehind(RecordPosition other) => (Generation, Lsn, Ordinal).CompareTo((other.Generation, other.Lsn, other.Ordinal)) > 0;

    public override string ToString() => $"{Generation}:{Lsn:X}:{Ordinal}";
}
