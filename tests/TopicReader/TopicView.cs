using System.Text.Json.Nodes;

namespace Cdc.Tests.TopicReader;

/// <summary>What a reader has of a topic who keeps the last record of each key.</summary>
/// <param name="Rows">By primary key.</param>
/// <param name="Changes">By primary key, how many inserts, updates and deletes it had; what was read in a snapshot is no change.</param>
/// <param name="Records">All of them, tombstones too.</param>
/// <param name="OwedEnds">Deletes that a reading brought (<c>snapshot = incremental</c>).</param>
/// <param name="Wrong">The first things that a reader must not meet, each as a sentence.</param>
public sealed record TopicView(
    IReadOnlyDictionary<long, JsonObject> Rows,
    IReadOnlyDictionary<long, long> Changes,
    long Records,
    long OwedEnds,
    IReadOnlyList<string> Wrong
);
