namespace Cdc.Engine;

/// <summary>
/// The numbers of the engine's advisory locks. They never change: an older program would not wait for this one. The built-in schema
/// registry takes one more, the hash of its table's name.
/// </summary>
public static class AdvisoryLocks
{
    /// <summary>One migration at a time.</summary>
    public const long Migrations = 0x0CDC_0000_0001;

    /// <summary>One process at a time makes the slot of a generation.</summary>
    public const long Generation = 0x0CDC_0000_0002;

    /// <summary>
    /// Held shared by every session that listens for changed rows. A transaction that announces some tries to take it alone until it ends,
    /// and where that succeeds no session listens and nothing need be said: a listener that begins waits for that transaction, and sees
    /// what it did.
    /// </summary>
    public const long Listeners = 0x0CDC_0000_0003;

    /// <summary>
    /// Over Kafka: shared by transactions that write rows, exclusive for one that truncates. Rows of another partition that were not
    /// committed when a truncate checked would survive it.
    /// </summary>
    public const long Truncates = 0x0CDC_0000_0004;

    /// <summary>
    /// Of the two-part locks: a part of the rows over which an aggregate is kept, for transactions that write some of them. Two workers over
    /// Kafka may write rows of which one draws from the other.
    /// </summary>
    public const int Aggregates = 0x0CDC_0005;

    /// <summary>Held shared by every process that captures or applies, for as long as it is up, whether its pipeline works or not.</summary>
    public const long Processes = 0x0CDC_0000_0006;

    /// <summary>One comparison at a time.</summary>
    public const long ReconcileRuns = 0x6364_6372_6563_6f6e;
}
