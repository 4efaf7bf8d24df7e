namespace Cdc.Log.Kafka;

/// <summary>Where one session's records go.</summary>
/// <param name="Session">Its number.</param>
/// <param name="Placement">The partition of a key.</param>
/// <param name="Tails">What each partition had before the session, by its index.</param>
internal sealed record SessionLayout(long Session, LogTopics Topics, KeyPlacement Placement, IReadOnlyList<PartitionTail> Tails);
