using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Core.Changes;
using Cdc.Core.Operations;
using Cdc.Core.Progress;
using Cdc.Engine.Tables;
using Xunit;

namespace Cdc.Tests.Unit.Api;

public sealed class FreshnessClockTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly StoppedTime _time = new();
    private readonly FreshnessClock _clock;

    public FreshnessClockTests() => _clock = new FreshnessClock(_time);

    [Fact]
    public void An_answer_is_as_old_as_the_newest_moment_whose_wal_is_applied()
    {
        for (var second = 0; second < 5_000; second++)
            Sample(second, (ulong)second * 10);
        Assert.Equal(Noon.AddSeconds(4_980), At(49_805).AsOf);
        Assert.Equal(19, At(49_805).LagSeconds);
        Assert.Equal(0, At(999_999).LagSeconds);
        // Older than what is remembered: the last commit says it, or nothing does.
        Assert.Null(At(10).AsOf);
        Assert.Equal(Noon, At(10, Noon).AsOf);
        Assert.Equal(Noon.AddSeconds(4_990), At(49_805, Noon.AddSeconds(4_990)).AsOf);
    }

    [Fact]
    public void No_clock_but_the_sources_counts_and_lag_is_never_negative()
    {
        // Ours is a year ahead; then the source's is set back.
        _time.Now = Noon.AddYears(1);
        Sample(100, 10);
        Assert.Equal(0, At(10).LagSeconds);
        _time.Elapsed = TimeSpan.FromSeconds(7);
        Assert.Equal(7, At(10).LagSeconds);
        Sample(-3_600, 20);
        Assert.Equal(0, At(20, Noon).LagSeconds);
    }

    [Fact]
    public void Another_server_or_one_that_was_set_back_says_nothing_about_the_one_before()
    {
        Sample(0, 100);
        Assert.Null(_clock.At(Moment(200) with { SystemIdentifier = "other" }).AsOf);
        Sample(1, 50);
        Assert.Null(At(49).AsOf);
        Assert.Equal(Noon.AddSeconds(1), At(60).AsOf);
    }

    [Fact]
    public void What_was_said_once_holds_for_every_engine_that_is_as_far_whatever_becomes_of_the_samples()
    {
        Sample(0, 100);
        Sample(10, 200);
        Assert.Equal(Noon.AddSeconds(10), _clock.Issue(Moment(200)).AsOf);
        // For a moment another server stood behind the name: what was sampled before is forgotten.
        _clock.Add(new SourceMoment(Noon.AddSeconds(20), new Lsn(500), "other"));
        Assert.Equal(Noon.AddSeconds(10), At(200, Noon).AsOf);
        Assert.Equal(Noon, At(199, Noon).AsOf);
        Assert.Null(At(199).AsOf);
        Assert.Null(_clock.At(Moment(300) with { Through = new AppliedThrough(2, new Lsn(300)), SystemIdentifier = "other" }).AsOf);
    }

    [Fact]
    public void An_engine_that_is_less_far_than_an_answer_that_was_given_is_not_as_new()
    {
        Sample(0, 100);
        Sample(10, 200);
        Assert.True(_clock.IsNotBeforeIssued(Moment(150)));
        _clock.Issue(Moment(200));
        Assert.False(_clock.IsNotBeforeIssued(Moment(150)));
        Assert.True(_clock.IsNotBeforeIssued(Moment(200)));
        Assert.True(_clock.IsNotBeforeIssued(Moment(150, Noon.AddSeconds(11))));
        // Reading it does not issue it.
        Sample(20, 300);
        At(300);
        Assert.True(_clock.IsNotBeforeIssued(Moment(200)));
        Assert.True(_clock.IsNotBeforeIssued(Moment(150) with { Through = new AppliedThrough(2, new Lsn(150)) }));
    }

    [Fact]
    public void An_answer_is_not_dated_before_one_that_was_given_of_an_engine_less_far_though_another_was_told_something_newer_since()
    {
        _clock.Issue(Moment(100, Noon.AddSeconds(5)));
        _clock.Issue(Moment(300, Noon.AddSeconds(9)));
        // Clocks of commits do not follow their order: this one is on its way since before the second was issued.
        Assert.Equal(Noon.AddSeconds(5), _clock.Issue(Moment(200, Noon.AddSeconds(3))).AsOf);
        Assert.Equal(Noon.AddSeconds(7), _clock.Issue(Moment(200, Noon.AddSeconds(7))).AsOf);
        Assert.Equal(Noon.AddSeconds(7), At(250, Noon.AddSeconds(6)).AsOf);
        Assert.Equal(Noon.AddSeconds(12), _clock.Issue(Moment(150, Noon.AddSeconds(12))).AsOf);
        Assert.Equal(Noon.AddSeconds(12), At(300).AsOf);
    }

    private static EngineMoment Moment(ulong through, DateTimeOffset? asOf = null) =>
        new(SourceState.Streaming, new AppliedThrough(1, new Lsn(through)), "one", asOf, TableState.Streaming);

    private Freshness At(ulong through, DateTimeOffset? lastCommit = null) => _clock.At(Moment(through, lastCommit));

    private void Sample(double second, ulong written) => _clock.Add(new SourceMoment(Noon.AddSeconds(second), new Lsn(written), "one"));

    private sealed class StoppedTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = Noon;

        public TimeSpan Elapsed { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Elapsed.Ticks;
    }
}
