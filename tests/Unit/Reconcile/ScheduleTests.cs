using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Runs;
using Xunit;

namespace Cdc.Tests.Unit.Reconcile;

public sealed class ScheduleTests
{
    private static readonly DateTimeOffset Midnight = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Dictionary<string, DateTimeOffset> _served = [];

    [Fact]
    public void What_has_changed_is_compared_every_minute_and_everything_every_night()
    {
        var schedule = new Schedule(new ContinuousOptions { FullAt = new TimeOnly(2, 0) });
        Assert.Equal(["nightly 02-28 02:00", "interval 03-01 01:59"], Done(schedule, Midnight.AddHours(1).AddMinutes(59)));
        Assert.Empty(Done(schedule, Midnight.AddHours(1).AddMinutes(59).AddSeconds(59)));
        Assert.Equal(["nightly 03-01 02:00", "interval 03-01 02:00"], Done(schedule, Midnight.AddHours(2)));
        Assert.Equal(["interval 03-01 02:01"], Done(schedule, Midnight.AddHours(2).AddMinutes(1)));
        Assert.Equal(TimeSpan.FromSeconds(40), schedule.Wait(Midnight.AddHours(2).AddSeconds(80), _served));
    }

    [Fact]
    public void Nights_that_were_missed_are_made_up_for_once()
    {
        var schedule = new Schedule(new ContinuousOptions());
        Done(schedule, Midnight);
        Assert.Equal(["nightly 03-09 02:00", "interval 03-09 12:00"], Done(schedule, Midnight.AddDays(8).AddHours(12)));
    }

    [Fact]
    public void After_a_cutover_everything_is_compared_at_4_24_and_72_hours()
    {
        var schedule = new Schedule(new ContinuousOptions { Cutover = "2026-03-01T12:00:00Z" });
        Done(schedule, Midnight.AddHours(12));
        Assert.DoesNotContain(Done(schedule, Midnight.AddHours(15.99)), d => d.StartsWith("cutover", StringComparison.Ordinal));
        Assert.Equal("cutover+4h 03-01 16:00", Done(schedule, Midnight.AddHours(16.5))[0]);
        Assert.Equal("cutover+24h 03-02 12:00", Done(schedule, Midnight.AddHours(36))[0]);
        Assert.Equal("cutover+72h 03-04 12:00", Done(schedule, Midnight.AddHours(84))[0]);
        Assert.DoesNotContain(Done(schedule, Midnight.AddHours(200)), d => d.StartsWith("cutover", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_checks_that_were_missed_only_the_last_is_made_up_for_and_a_new_cutover_has_its_own()
    {
        Assert.Equal(
            "cutover+24h 03-02 12:00",
            Done(new Schedule(new ContinuousOptions { Cutover = "2026-03-01T12:00:00Z" }), Midnight.AddHours(40))[0]
        );
        Assert.Equal(
            "cutover+24h 03-03 12:00",
            Done(new Schedule(new ContinuousOptions { Cutover = "2026-03-02T12:00:00Z" }), Midnight.AddHours(62))[0]
        );
    }

    [Fact]
    public void A_clock_that_was_set_back_does_not_silence_it()
    {
        var schedule = new Schedule(new ContinuousOptions());
        Done(schedule, Midnight.AddHours(10));
        Assert.Equal(["interval 03-01 09:00"], Done(schedule, Midnight.AddHours(9)));
    }

    /// <summary>Does all that is due.</summary>
    private List<string> Done(Schedule schedule, DateTimeOffset now)
    {
        var done = new List<string>();
        while (schedule.Due(now, _served) is { } due)
        {
            Assert.Equal(due.Trigger == Schedule.Interval ? RunKind.Changed : RunKind.Full, due.Kind);
            _served[due.Trigger] = due.Due;
            done.Add($"{due.Trigger} {due.Due:MM-dd HH:mm}");
        }
        return done;
    }
}
