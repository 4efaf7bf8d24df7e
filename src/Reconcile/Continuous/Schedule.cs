using System.Globalization;
using Cdc.Core.Postgres.Values;
using Cdc.Reconcile.Runs;

namespace Cdc.Reconcile.Continuous;

/// <summary>A comparison whose time has come.</summary>
/// <param name="Trigger">As in cdc.reconcile_runs.</param>
/// <param name="Due">Since when.</param>
public sealed record ScheduledRun(string Trigger, RunKind Kind, DateTimeOffset Due);

/// <summary>
/// When what is compared. Runs missed while the process was down are made up for by one run.
/// </summary>
public sealed class Schedule(ContinuousOptions options)
{
    public const string Interval = "interval",
        Nightly = "nightly",
        Remediation = "remediation";

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly int[] HoursAfterCutover = [4, 24, 72];

    private readonly DateTimeOffset? _cutover = ParseCutover(options.Cutover);

    /// <summary>Null: it is no time.</summary>
    public static DateTimeOffset? ParseCutover(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    /// <summary>What is to be done now; the rarer before the more frequent. Null: nothing.</summary>
    /// <param name="served">By trigger, the latest time for which a run is done.</param>
    public ScheduledRun? Due(DateTimeOffset now, IReadOnlyDictionary<string, DateTimeOffset> served)
    {
        if (AfterCutover(now, served) is { } check)
            return check;
        var night = LastNight(now);
        if (!served.TryGetValue(Nightly, out var last) || last < night)
            return new ScheduledRun(Nightly, RunKind.Full, night);
        return Wait(now, served) == TimeSpan.Zero ? new ScheduledRun(Interval, RunKind.Changed, now) : null;
    }

    /// <summary>Time until what has changed is compared again; the other schedules are checked then, too.</summary>
    public TimeSpan Wait(DateTimeOffset now, IReadOnlyDictionary<string, DateTimeOffset> served)
    {
        // A clock that was set back must not silence it.
        if (!served.TryGetValue(Interval, out var last) || last > now)
            return TimeSpan.Zero;
        return last + options.Interval > now ? last + options.Interval - now : TimeSpan.Zero;
    }

    private ScheduledRun? AfterCutover(DateTimeOffset now, IReadOnlyDictionary<string, DateTimeOffset> served)
    {
        if (_cutover is not { } cutover)
            return null;
        // Only the last whose time has come: one that is late says nothing that the next does not.
        foreach (var hours in HoursAfterCutover.OrderDescending())
        {
            var (due, trigger) = (cutover.AddHours(hours), string.Create(CultureInfo.InvariantCulture, $"cutover+{hours}h"));
            if (due <= now)
                return served.TryGetValue(trigger, out var last) && last == due ? null : new ScheduledRun(trigger, RunKind.Full, due);
        }
        return null;
    }

    private DateTimeOffset LastNight(DateTimeOffset now)
    {
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero) + options.FullAt.ToTimeSpan();
        return today <= now ? today : today - Day;
    }
}
