using Cdc.Api.Engine;
using Cdc.Api.Freshness;

namespace Cdc.Api.Balances;

/// <summary>
/// Requests for one code each, sent to the engine together. Most of such a query's cost is the statement and not the card, so the
/// requests that come while others are being answered share the next statement. None waits for others to come: while few are under way, a
/// request goes at once and alone.
/// </summary>
/// <param name="ask">Answers codes, without repetition, in their order and as of one moment.</param>
/// <param name="longestQueue">Requests that may wait.</param>
internal sealed class GatheredReads(
    Func<IReadOnlyList<string>, FreshnessDemand, CancellationToken, Task<IReadOnlyList<CardAnswer>>> ask,
    int longestQueue
)
{
    /// <summary>Statements under way: with more of them the engine's processors make the same answers out of more statements.</summary>
    private const int AtOnce = 2;

    private sealed record Waiter(string Code, FreshnessDemand Demand, TaskCompletionSource<CardAnswer> Answer);

    private readonly Lock _lock = new();
    private List<Waiter> _waiting = [];
    private int _asking;

    /// <param name="code">Normalised.</param>
    /// <exception cref="EngineUnavailableException">The engine's reason, or too many are waiting.</exception>
    public Task<CardAnswer> ByCodeAsync(string code, FreshnessDemand demand, CancellationToken ct)
    {
        var waiter = new Waiter(code, demand, new TaskCompletionSource<CardAnswer>(TaskCreationOptions.RunContinuationsAsynchronously));
        bool begins;
        lock (_lock)
        {
            if (_waiting.Count >= longestQueue)
                throw EngineUnavailableException.TooManyWait();
            _waiting.Add(waiter);
            begins = _asking < AtOnce;
            if (begins)
                _asking++;
        }
        if (begins)
            _ = AskAsync();
        return waiter.Answer.Task.WaitAsync(ct);
    }

    private async Task AskAsync()
    {
        while (Next() is { } waiters)
            try
            {
                List<string> codes = [.. waiters.Select(w => w.Code).Distinct()];
                // One statement answers all of them as of one moment. A caller may have gone: the others have not.
                var answers = await ask(codes, FreshnessDemand.Strictest(waiters.Select(w => w.Demand)), CancellationToken.None);
                var answerOf = codes.Zip(answers).ToDictionary(p => p.First, p => p.Second);
                foreach (var waiter in waiters)
                    waiter.Answer.TrySetResult(answerOf[waiter.Code]);
            }
            catch (Exception e)
            {
                foreach (var waiter in waiters)
                    waiter.Answer.TrySetException(e);
            }
    }

    private List<Waiter>? Next()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                _asking--;
                return null;
            }
            var waiters = _waiting;
            _waiting = [];
            return waiters;
        }
    }
}
