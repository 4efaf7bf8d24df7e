using Cdc.Capture;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Pipeline;
using Cdc.Tests.Support.Time;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Unit.Pipeline;

public sealed class PipelineWorkerTests
{
    [Theory]
    [InlineData(GapKinds.SlotForeign, false)]
    [InlineData(GapKinds.SlotMissing, true)]
    public async Task A_setting_accepts_every_gap_but_a_slot_that_may_be_another_engines(string kind, bool isAccepted)
    {
        using var stop = new CancellationTokenSource();
        var run = Worker(kind, stop, new PipelineStatistics(), waitsForPeople: false).RunAsync(stop.Token);
        if (isAccepted)
            await run;
        else
            Assert.Equal(kind, (await Assert.ThrowsAsync<DeclaredGapException>(() => run)).GapKind);
        Assert.Equal(isAccepted, stop.IsCancellationRequested);
    }

    [Fact]
    public async Task Beside_an_api_a_foreign_slot_stands_still_as_a_gap_with_its_kind()
    {
        using var stop = new CancellationTokenSource();
        var statistics = new PipelineStatistics();
        // What a session throws at once is handled before the first pause.
        var run = Worker(GapKinds.SlotForeign, stop, statistics, waitsForPeople: true).RunAsync(stop.Token);
        Assert.Equal(RetryState.Stopped, statistics.Retry);
        Assert.Equal(GapKinds.SlotForeign, Assert.IsType<DeclaredGapException>(statistics.Failure).GapKind);
        Assert.False(stop.IsCancellationRequested);
        await stop.CancelAsync();
        await run;
    }

    [Fact]
    public async Task What_comes_back_with_every_session_is_said_once_and_never_that_it_works()
    {
        using var scene = new Scene((_, started, _) => Refused(started, Refusal("permission denied for table loyalty_cards")));
        await scene.SessionsAsync(6);
        Assert.Equal(["308 permission denied for table loyalty_cards"], scene.Said);
        Assert.Equal(RetryState.Stopped, scene.Statistics.Retry);
        await scene.StopAsync();
    }

    [Fact]
    public async Task What_the_check_knows_of_it_is_said_in_its_place()
    {
        // A session that has begun says nothing; one that looks again knows more.
        using var scene = new Scene(
            (_, started, looked) => looked ? throw Findings("GRANT INSERT") : Refused(started, Refusal("permission denied"))
        );
        await scene.SessionsAsync(4);
        Assert.StartsWith("308 ", Assert.Single(scene.Said), StringComparison.Ordinal);
        Assert.Contains("GRANT INSERT", scene.Said[0], StringComparison.Ordinal);
        await scene.StopAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_works_again_when_a_session_gets_somewhere_or_lasts_and_that_too_is_said_once(bool progresses)
    {
        using var scene = new Scene(
            (own, started, _) =>
            {
                if (own.Session <= 3)
                    return Refused(started, Refusal("refused"));
                started();
                return Task.Delay(Timeout.Infinite, own.Stopping);
            }
        );
        await scene.SessionsAsync(4);
        Assert.Equal(RetryState.Stopped, scene.Statistics.Retry);
        scene.Progressed = progresses;
        await Eventually.True(
            "it works",
            () =>
            {
                scene.Time.Advance(progresses ? TimeSpan.FromMilliseconds(200) : PipelineWorker.Settled);
                return scene.Statistics.Retry == RetryState.Working;
            },
            ct: TestContext.Current.CancellationToken
        );
        await scene.StopAsync();
        Assert.Equal(["308 refused", "309 "], scene.Said);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_fails_again_and_again_while_sessions_progress_is_said_and_paused_for(bool sameWords)
    {
        using var scene = new Scene(
            (own, started, _) =>
            {
                own.Progressed = true;
                return Refused(started, Refusal(sameWords ? "refused" : $"refused {own.Session % 2}"));
            }
        );
        // It would go on by itself, without a pause.
        await scene.SessionsAsync(2);
        Assert.Equal(2, scene.Session);
        await scene.SessionsAsync(5);
        Assert.Equal(RetryState.Stopped, scene.Statistics.Retry);
        await scene.StopAsync();
        Assert.Equal(
            sameWords ? ["308 refused", "309 ", "308 refused"] : (string[])["308 refused 0", "309 ", "308 refused 1"],
            scene.Said.Take(3)
        );
    }

    [Fact]
    public async Task Without_an_api_it_ends_with_what_the_check_knows()
    {
        using var scene = new Scene(
            (_, started, looked) => looked ? throw Findings("GRANT INSERT") : Refused(started, Refusal("permission denied")),
            waitsForPeople: false
        );
        await Assert.ThrowsAsync<FindingsException>(() => scene.Run);
        Assert.Equal(2, scene.Session);
    }

    [Theory]
    [InlineData(FailureKind.Migration, 2)]
    [InlineData(FailureKind.Preflight, 2)]
    [InlineData(FailureKind.Configuration, 1)]
    public async Task Without_an_api_it_ends_with_what_it_knows_itself_where_the_check_finds_nothing(FailureKind kind, int sessions)
    {
        using var scene = new Scene((_, started, _) => Refused(started, new CdcException(kind, "m", "r")), waitsForPeople: false);
        Assert.Equal(kind, (await Assert.ThrowsAsync<CdcException>(() => scene.Run)).Kind);
        Assert.Equal(sessions, scene.Session);
    }

    private static CdcException Refusal(string message) => new(FailureKind.Preflight, message, "r");

    private static FindingsException Findings(string remedy) =>
        new(FailureKind.Preflight, "not ready:", [new Finding("engine-table-privilege", true, "m", remedy)]);

    private static Task Refused(Action started, CdcException failure)
    {
        started();
        throw failure;
    }

    /// <summary>A worker beside an Api, over sessions that a test plays; its pauses pass when the test says.</summary>
    private sealed class Scene : IPipelineSession, ILogger, IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Func<Scene, Action, bool, Task> _play;
        private volatile bool _looks;
        private volatile int _session;

        public Scene(Func<Scene, Action, bool, Task> play, bool waitsForPeople = true)
        {
            _play = play;
            var options = new PipelineOptions { WaitsForPeople = waitsForPeople };
            Run = new PipelineWorker(options, this, Statistics, this, Time).RunAsync(_stop.Token);
        }

        public Task Run { get; }
        public ManualTime Time { get; } = new(DateTimeOffset.UnixEpoch);
        public PipelineStatistics Statistics { get; } = new();
        public List<string> Said { get; } = [];
        public int Session => _session;
        public CancellationToken Stopping => _stop.Token;
        public bool Progressed { get; set; }
        public bool HasProgressed => Progressed;
        public int? Generation => null;

        public void Dispose() => _stop.Dispose();

        public void LookAgain() => _looks = true;

        public async Task RunAsync(Action started, CancellationToken ct)
        {
            await Task.Yield();
            _session++;
            await _play(this, started, _looks);
        }

        public Task AcceptGapAsync(CancellationToken ct) => throw new InvalidOperationException("no gap is played");

        /// <summary>Until so many have begun.</summary>
        public Task SessionsAsync(int number) =>
            Eventually.True(
                $"session {number} has begun",
                () =>
                {
                    // Whatever pause is waited for, and nothing of a session that goes on.
                    if (Session < number && Time.NextAlarm is { } next && next > TimeSpan.FromMilliseconds(200))
                        Time.Advance(next);
                    return Session == number;
                },
                ct: TestContext.Current.CancellationToken
            );

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await Run;
            _stop.Dispose();
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> format)
        {
            var reason = state is IReadOnlyList<KeyValuePair<string, object?>> values
                ? values.FirstOrDefault(v => v.Key == "Reason").Value as string
                : null;
            Said.Add($"{id.Id} {reason}");
        }
    }

    private static PipelineWorker Worker(string gap, CancellationTokenSource stop, PipelineStatistics statistics, bool waitsForPeople) =>
        new(
            new PipelineOptions
            {
                Source = new SourceOptions { AcceptGaps = true },
                WaitsForPeople = waitsForPeople,
            },
            new BrokenSession(new DeclaredGapException(gap, "m", "r"), stop),
            statistics,
            NullLogger.Instance
        );

    /// <summary>One that follows nothing yet, and ends its worker when a gap is accepted.</summary>
    private sealed class BrokenSession(CdcException failure, CancellationTokenSource stop) : IPipelineSession
    {
        public bool HasProgressed => false;

        public void LookAgain() { }

        public int? Generation => null;

        public Task RunAsync(Action started, CancellationToken ct) => throw failure;

        public Task AcceptGapAsync(CancellationToken ct) => stop.CancelAsync();
    }
}
