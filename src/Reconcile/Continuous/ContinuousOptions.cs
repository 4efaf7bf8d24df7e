using Cdc.Core.Configuration;

namespace Cdc.Reconcile.Continuous;

/// <summary>The comparison that goes on beside the pipeline (section <c>Continuous</c>).</summary>
public sealed record ContinuousOptions : IOptionSection
{
    /// <summary>False: <c>cdc run</c> compares nothing, and evaluates no alert.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Between two comparisons of what has changed.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Time of the day, in UTC, from which everything is compared.</summary>
    public TimeOnly FullAt { get; init; } = new(2, 0);

    /// <summary>ISO 8601 time of the cutover; everything is compared 4, 24 and 72 hours after it. Empty: there is none.</summary>
    public string Cutover { get; init; } = "";

    /// <summary>
    /// Share of the time, in percent, in which both servers may be comparing; in the rest they are left alone. 100: no pauses.
    /// </summary>
    public int LoadPercent { get; init; } = 10;

    /// <summary>What a slice should take, instead of Reconcile:SliceTime: it bounds how long snapshots are held.</summary>
    public TimeSpan SliceTime { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Days for which comparisons of what had changed are kept. Others are kept for ever.</summary>
    public int KeepDays { get; init; } = 30;

    /// <summary>
    /// True: drift above Alerts:RemediateAbovePercent is repaired without a person, and everything compared again. That also writes over what
    /// others have written into the engine. False: the alert says what would be done.
    /// </summary>
    public bool Repair { get; init; }

    public void Check(OptionChecks checks)
    {
        checks.Require(
            Interval > TimeSpan.Zero && Interval <= TimeSpan.FromDays(1),
            nameof(Interval),
            "must be longer than nothing and at most a day"
        );
        checks.Require(
            Cutover.Length == 0 || Schedule.ParseCutover(Cutover) is not null,
            nameof(Cutover),
            "must be a time such as 2026-01-31T12:00:00Z"
        );
        checks.Require(LoadPercent is > 0 and <= 100, nameof(LoadPercent), "must be between 1 and 100");
        checks.Require(
            SliceTime > TimeSpan.Zero && SliceTime <= TimeSpan.FromMinutes(5),
            nameof(SliceTime),
            "must be longer than nothing and at most 5 minutes"
        );
        checks.AtLeast(nameof(KeepDays), KeepDays, 1);
    }
}
