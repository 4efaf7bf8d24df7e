namespace Cdc.Log.Kafka;

/// <summary>What becomes of a TRUNCATE in the topics.</summary>
public enum TruncateRecords
{
    /// <summary>
    /// Every key that the table had ends with a delete and a tombstone, which any reader knows. The keys are the engine's, so it must have
    /// applied what comes before; capture waits for that.
    /// </summary>
    Deletes,

    /// <summary>One record without a key, op <c>t</c>, in every partition, as Debezium's.</summary>
    Record,
}
