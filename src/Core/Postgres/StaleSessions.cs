using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>
/// A session keeps what role and database said at its login: one of a pool that was opened while <c>default_transaction_read_only</c> was on
/// would refuse every write for as long as it lives.
/// </summary>
public static class StaleSessions
{
    /// <summary>
    /// Runs <paramref name="work"/> on a connection of the pool. Where that takes no writes the pool is emptied, and the work is done again, on a
    /// session of now: nothing of it was written.
    /// </summary>
    public static async Task<T> UseAsync<T>(this NpgsqlDataSource pool, Func<NpgsqlConnection, Task<T>> work, CancellationToken ct)
    {
        try
        {
            return await OnceAsync(pool, work, ct);
        }
        catch (PostgresException e) when (SqlStates.Of(e.SqlState) == SqlStateClass.ReadOnly)
        {
            pool.Clear();
            return await OnceAsync(pool, work, ct);
        }
    }

    private static async Task<T> OnceAsync<T>(NpgsqlDataSource pool, Func<NpgsqlConnection, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await pool.OpenConnectionAsync(ct);
        return await work(connection);
    }
}
