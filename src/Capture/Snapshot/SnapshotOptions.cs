using Cdc.Core.Configuration;

namespace Cdc.Capture.Snapshot;

/// <summary>Reading tables in chunks (section <c>Snapshot</c>).</summary>
public sealed record SnapshotOptions : IOptionSection
{
    /// <summary>Chunks read at the same time, each with a connection to the source and one to the engine.</summary>
    public int Workers { get; init; } = 3;
    public int ChunkRows { get; init; } = 50_000;

    /// <summary>A chunk is cut where its rows reach this many bytes.</summary>
    public long ChunkBytes { get; init; } = 8 << 20;

    public void Check(OptionChecks checks)
    {
        checks.AtLeast(nameof(Workers), Workers, 1);
        checks.Require(Workers <= 64, nameof(Workers), "must be at most 64: each holds a connection to both servers");
        checks.AtLeast(nameof(ChunkRows), ChunkRows, 1);
        checks.AtLeast(nameof(ChunkBytes), ChunkBytes, 65_536);
    }
}
