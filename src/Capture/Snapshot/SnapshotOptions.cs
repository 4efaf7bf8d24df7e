namespace Cdc.Capture.Snapshot;

/// <summary>Reading tables in chunks (section <c>Snapshot</c>).</summary>
public sealed record SnapshotOptions
{
    /// <summary>Chunks read at the same time, each with a connection to the source and one to the engine.</summary>
    public int Workers { get; init; } = 3;
    public int ChunkRows { get; init; } = 50_000;

    /// <summary>A chunk is cut where its rows reach this many bytes.</summary>
    public long ChunkBytes { get; init; } = 8 << 20;
}
