using Cdc.Core.Configuration;
using Cdc.Engine.Snapshots;

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

    /// <summary>
    /// Rows that were not there when their table was read again are deleted without a person where they are at most so many percent of it,
    /// </summary>
    public int MaxDeletedPercent { get; init; } = 10;

    /// <summary>or at most so many.</summary>
    public long MaxDeletedRows { get; init; } = 1000;

    /// <summary>Both together.</summary>
    public DeleteLimit DeleteLimit => new(MaxDeletedPercent, MaxDeletedRows);

    public void Check(OptionChecks checks)
    {
        checks.AtLeast(nameof(BatchRows), BatchRows, 1);
        checks.AtLeast(nameof(BatchBytes), BatchBytes, 65_536);
        checks.Require(MaxDeletedPercent is >= 0 and <= 100, nameof(MaxDeletedPercent), "must be between 0 and 100");
        checks.AtLeast(nameof(MaxDeletedRows), MaxDeletedRows, 0);
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
