using Cdc.Api.Engine;

namespace Cdc.Api.Balances;

/// <summary>
/// Requests for one code each, put to the engine together. Most of what such a question costs is the statement and not the card, so the
/// requests that come while others are being answered share the next statement. Nobody waits for company: while few are under way, a
/// request goes at once and alone.
/// </summary>
/// <param name="ask">Answers codes, without repetition, in their order and as of one moment.</param>
/// <param name="longestQueue">Requests that may wait.</param>
internal sealed class GatheredReads(
    Func<IReadOnlyList<string>, Func<EngineMoment, bool>?, CancellationToken, Task<IReadOnlyList<CardAnswer>>> ask,
    int longestQueue
)
{
    /// <summary>Statements under way: with more of them the engine's processors make the same answers out of more statements.</summary>
    private const int AtOnce = 2;

    private sealed record Waiter(string Code, Func<EngineMoment, bool>? ReplicaIsEnough, TaskCompletionSource<CardAnswer> Answer);

    private readonly Lock _lock = new();
    private List<Waiter> _waiting = [];
    private int _asking;

    /// <param name="code">Normalised.</param>
    /// <param name="replicaIsEnough">Whether a replica may answer that is so far; null: none may.</param>
    /// <exception cref="EngineUnavailableException">The engine's reason, or too many are waiting.</exception>
    public Task<CardAnswer> ByCodeAsync(string code, Func<EngineMoment, bool>? replicaIsEnough, CancellationToken ct)
    {
        var waiter = new Waiter(
            code,
            replicaIsEnough,
            new TaskCompletionSource<CardAnswer>(TaskCreationOptions.RunContinuationsAsynchronously)
        );
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
                // Whoever asked may have gone: the others have not.
                var answers = await ask(codes, Enough(waiters), CancellationToken.None).ConfigureAwait(false);
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

    /// <summary>One statement answers all of them as of one moment, so that must be enough for each.</summary>
    private static Func<EngineMoment, bool>? Enough(List<Waiter> waiters) =>
        waiters.Exists(w => w.ReplicaIsEnough is null) ? null : moment => waiters.TrueForAll(w => w.ReplicaIsEnough!(moment));
}
