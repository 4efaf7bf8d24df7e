using Cdc.Tests.Support.Pipeline;

namespace Cdc.Tests.Integration.Pipeline.Histories;

/// <summary>One random history: a few sessions that write at the same time.</summary>
internal static class HistoryRun
{
    public const int Transactions = Sessions * TransactionsOfSession;
    private const int Sessions = 3;
    private const int TransactionsOfSession = 8;

    /// <param name="between">Called between the transactions of the first session.</param>
    /// <param name="tableChanges">It may change the tables.</param>
    public static async Task RunAsync(PipelineBed bed, int seed, int history, Func<Task> between, bool tableChanges, CancellationToken ct)
    {
        var sessions = new List<Task>();
        for (var number = 0; number < Sessions; number++)
        {
            var session = await HistorySession.OpenAsync(
                bed.Source.DataSource,
                HashCode(seed, history, number),
                $"{bed.Source.Name}-{history}-{number}",
                tableChanges,
                ct
            );
            sessions.Add(RunAsync(session, number == 0 ? between : () => Task.CompletedTask, ct));
        }
        await Task.WhenAll(sessions);
    }

    private static async Task RunAsync(HistorySession session, Func<Task> between, CancellationToken ct)
    {
        await using (session)
            await session.RunAsync(TransactionsOfSession, between, ct);
    }

    /// <summary>The same in every process, which <see cref="System.HashCode"/> is not.</summary>
    private static int HashCode(int seed, int history, int session) => unchecked((seed * 31 + history) * 31 + session) & int.MaxValue;
}
