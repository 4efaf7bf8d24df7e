using Npgsql;

namespace Cdc.Engine;

/// <summary>
/// Repeats what the engine rolled back for the sake of another transaction (a deadlock, a serialization failure). That says nothing about
/// the engine or the connection: the same work succeeds when the other transaction has ended.
/// </summary>
internal static class ConflictRetry
{
    private const int Attempts = 10;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <param name="work">One whole transaction, rolled back by itself where it fails.</param>
    public static async Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (PostgresException e) when (IsConflict(e) && attempt < Attempts)
            {
                await Task.Delay(Pause(attempt), ct);
            }
        }
    }

    private static bool IsConflict(PostgresException e) =>
        e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure;

    /// <summary>Not the same for two that meet each other again and again.</summary>
    private static TimeSpan Pause(int attempt)
    {
        var pause = TimeSpan.FromMilliseconds(10 << attempt) * (0.5 + Random.Shared.NextDouble());
        return pause < LongestPause ? pause : LongestPause;
    }
}
