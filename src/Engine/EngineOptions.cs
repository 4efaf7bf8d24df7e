using Cdc.Core.Configuration;

namespace Cdc.Engine;

/// <summary>The engine's database (section <c>Engine</c>).</summary>
public sealed record EngineOptions : IOptionSection
{
    /// <summary>Npgsql connection string of the role that owns the engine's tables.</summary>
    public string ConnectionString { get; init; } = "";

    /// <summary>Rows that are folded and written together; measured best around 20,000.</summary>
    public int BatchRows { get; init; } = 20_000;
    public long BatchBytes { get; init; } = 8 << 20;

    /// <summary>
    /// Off: batches are visible at once and flushed with the next feedback, before it is confirmed to the source; a crash of the engine
    /// takes the last second back and it is sent again. On: flushed at every commit.
    /// </summary>
    public bool SynchronousCommit { get; init; }

    /// <summary>How often what was applied is confirmed to the source.</summary>
    public TimeSpan FeedbackInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long changes wait at a fence for the engine's snapshot; then the comparison is given up and repeated.</summary>
    public TimeSpan FenceHoldTimeout { get; init; } = TimeSpan.FromSeconds(2);

    public void Check(OptionChecks checks)
    {
        checks.AtLeast(nameof(BatchRows), BatchRows, 1);
        checks.AtLeast(nameof(BatchBytes), BatchBytes, 65_536);
        checks.Interval(nameof(FeedbackInterval), FeedbackInterval);
        checks.Interval(
            nameof(FenceHoldTimeout),
            FenceHoldTimeout,
            TimeSpan.FromMilliseconds(10),
            TimeSpan.FromSeconds(30),
            ": changes wait meanwhile"
        );
    }
}
