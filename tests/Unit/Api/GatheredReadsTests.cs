using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Core.Changes;
using Cdc.Core.Progress;
using Cdc.Engine.Tables;
using Xunit;

namespace Cdc.Tests.Unit.Api;

public sealed class GatheredReadsTests
{
    private readonly Statements _statements = new();
    private readonly GatheredReads _reads;

    public GatheredReadsTests() => _reads = new GatheredReads(_statements.AskAsync, longestQueue: 3);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_that_come_while_others_are_answered_share_the_next_statement()
    {
        Task<CardAnswer>[] answers = [.. "abcdc".Select(code => Ask($"{code}"))];
        Assert.Equal(["a", "b"], _statements.Asked);
        _statements.Answer(0);
        Assert.Equal("a", (await answers[0]).QuarantineReason);
        await _statements.AreAsync(3, Ct);
        Assert.Equal(["a", "b", "c d"], _statements.Asked);
        _statements.Answer(1);
        _statements.Answer(2);
        Assert.Equal(["a", "b", "c", "d", "c"], (await Task.WhenAll(answers)).Select(a => a.QuarantineReason));
    }

    [Fact]
    public async Task A_failure_is_that_of_its_statement_only()
    {
        Task<CardAnswer>[] answers = [.. "abcd".Select(code => Ask($"{code}"))];
        _statements.Fail(0);
        await Assert.ThrowsAsync<EngineUnavailableException>(() => answers[0]);
        await _statements.AreAsync(3, Ct);
        _statements.Answer(1);
        _statements.Answer(2);
        Assert.Equal(["b", "c", "d"], (await Task.WhenAll(answers[1..])).Select(a => a.QuarantineReason));
    }

    [Fact]
    public async Task A_request_that_is_gone_takes_no_other_along()
    {
        using var gone = new CancellationTokenSource();
        Task<CardAnswer>[] answers = [Ask("a"), Ask("b"), _reads.ByCodeAsync("c", FreshnessDemand.None, gone.Token), Ask("d")];
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answers[2]);
        _statements.Answer(0);
        await _statements.AreAsync(3, Ct);
        _statements.Answer(2);
        Assert.Equal("d", (await answers[3]).QuarantineReason);
    }

    [Fact]
    public async Task Too_many_are_refused_at_once()
    {
        Task<CardAnswer>[] answers = [.. "abcde".Select(code => Ask($"{code}"))];
        Assert.Throws<EngineUnavailableException>(() =>
        {
            _ = Ask("f");
        });
        _statements.Answer(1);
        await _statements.AreAsync(3, Ct);
        _statements.Answer(2);
        Assert.Equal(["b", "c", "d", "e"], (await Task.WhenAll(answers[1..])).Select(a => a.QuarantineReason));
    }

    [Fact]
    public async Task A_shared_statement_must_meet_what_each_of_its_requests_demands()
    {
        var fresh = FreshnessDemand.None with { MaxStaleness = TimeSpan.FromSeconds(5) };
        var reached = FreshnessDemand.None with { MinPosition = new PositionDemand(1, new Lsn(7)) };
        Task<CardAnswer>[] answers = [Ask("a"), Ask("b"), Ask("c", fresh), Ask("d", reached)];
        _statements.Answer(0);
        await _statements.AreAsync(3, Ct);
        Assert.Equal(fresh with { MinPosition = reached.MinPosition }, _statements.Demands[2]);
        Task<CardAnswer>[] others = [Ask("e"), Ask("f", FreshnessDemand.None.OfEngine)];
        _statements.Answer(1);
        await _statements.AreAsync(4, Ct);
        Assert.True(_statements.Demands[3].EngineOnly);
        _statements.Answer(2);
        _statements.Answer(3);
        await Task.WhenAll([.. answers, .. others]);
    }

    private Task<CardAnswer> Ask(string code, FreshnessDemand? demand = null) =>
        _reads.ByCodeAsync(code, demand ?? FreshnessDemand.None, Ct);

    /// <summary>What was asked, answered when the test says so: with the code as the answer's text.</summary>
    private sealed class Statements
    {
        private readonly Lock _lock = new();
        private readonly List<(IReadOnlyList<string> Codes, TaskCompletionSource<IReadOnlyList<CardAnswer>> Answer)> _statements = [];
        private readonly TaskCompletionSource[] _came =
        [
            .. Enumerable.Range(0, 4).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)),
        ];

        public List<FreshnessDemand> Demands { get; } = [];

        public IEnumerable<string> Asked => _statements.Select(s => string.Join(' ', s.Codes));

        private static EngineMoment Moment(ulong lsn) =>
            new(SourceState.Streaming, new AppliedThrough(1, new Lsn(lsn)), "1", null, TableState.Streaming);

        public Task<IReadOnlyList<CardAnswer>> AskAsync(IReadOnlyList<string> codes, FreshnessDemand demand, CancellationToken ct)
        {
            lock (_lock)
            {
                var answer = new TaskCompletionSource<IReadOnlyList<CardAnswer>>(TaskCreationOptions.RunContinuationsAsynchronously);
                _statements.Add((codes, answer));
                Demands.Add(demand);
                _came[_statements.Count - 1].SetResult();
                return answer.Task;
            }
        }

        public Task AreAsync(int count, CancellationToken ct) => _came[count - 1].Task.WaitAsync(ct);

        public void Answer(int statement) =>
            _statements[statement].Answer.SetResult([.. _statements[statement].Codes.Select(c => new CardAnswer(Moment(1), [], c))]);

        public void Fail(int statement) => _statements[statement].Answer.SetException(new EngineUnavailableException("gone"));
    }
}
