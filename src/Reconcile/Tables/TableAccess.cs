using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Reconcile.Tables;

/// <summary>
/// Statements that read one declared table. What a server refuses of such a one is that table's own trouble, and ends nothing but its
/// comparison; everything else (a server that is away, a shared table that is not there) ends the run.
/// </summary>
internal static class TableAccess
{
    /// <summary>
    /// For a transaction of ours. A lock that is held for long would take the whole run with it; one that is held for a moment would not
    /// be worth leaving a table out.
    /// </summary>
    public const string ShortLock = "SET LOCAL lock_timeout = '2s'";

    /// <exception cref="TableException">The server refuses to read the table.</exception>
    public static async Task<T> ReadAsync<T>(Server server, EntityDeclaration entity, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (PostgresException answer) when (IsOfTable(answer))
        {
            throw TableException.Of(server, entity, answer);
        }
    }

    /// <summary>The same outside of a fence, in a transaction that waits for no lock for long.</summary>
    /// <exception cref="TableException">The server refuses to read the table.</exception>
    public static async Task<T> ReadShortlyAsync<T>(
        Server server,
        EntityDeclaration entity,
        NpgsqlConnection connection,
        Func<Task<T>> read,
        CancellationToken ct
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.Statement(ShortLock).ExecuteAsync(ct);
        return await ReadAsync(server, entity, read);
    }

    /// <summary>Damaged files are those of a table or of its index.</summary>
    public static bool IsOfTable(PostgresException answer) =>
        answer.SqlState == PostgresErrorCodes.LockNotAvailable
        || SqlStates.Of(answer.SqlState)
            is SqlStateClass.Privilege
                or SqlStateClass.Feature
                or SqlStateClass.State
                or SqlStateClass.Object
                or SqlStateClass.Damaged;
}
