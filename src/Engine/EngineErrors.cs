using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine;

/// <summary>The engine failed: told apart from a failure of the source, which has the same exception types.</summary>
public sealed class EngineException(CdcException failure, Exception inner) : Exception(failure.Message, inner)
{
    /// <summary>Typed, with its remedy. <see cref="FailureKind.Unavailable"/> goes away by itself: try again.</summary>
    public CdcException Failure { get; } = failure;
}

/// <summary>What a failure of the engine means, decided by SQLSTATE alone.</summary>
public static class EngineErrors
{
    public const string UniqueViolation = "23505";

    /// <summary>The row's own: class 22 (data exception) and 23 (integrity constraint violation). Any other row may still be applied.</summary>
    public static bool IsOfRow(PostgresException e) =>
        e.SqlState.StartsWith("22", StringComparison.Ordinal) || e.SqlState.StartsWith("23", StringComparison.Ordinal);

    /// <summary>Runs a piece of work against the engine; what fails in it is the engine's doing.</summary>
    /// <exception cref="EngineException">Npgsql, or the network below it, failed.</exception>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception e) when (Explain(e) is { } failure)
        {
            throw new EngineException(failure, e);
        }
    }

    public static Task GuardAsync(Func<Task> work) =>
        GuardAsync(async () =>
        {
            await work().ConfigureAwait(false);
            return true;
        });

    private static CdcException? Explain(Exception e) =>
        e switch
        {
            PostgresException p => OfServer(p),
            _ when MissingPassword.Is(e) => new CdcException(
                FailureKind.Preflight,
                "The engine does not let the role in: it wants a password.",
                "Add Password=... to Engine:ConnectionString, or mend the server's pg_hba.conf.",
                e
            ),
            NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException => new CdcException(
                FailureKind.Unavailable,
                $"The engine cannot be reached: {e.Message}",
                "Start the engine, or mend host and port in Engine:ConnectionString.",
                e
            ),
            _ => null,
        };

    private static CdcException OfServer(PostgresException e) =>
        e.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => new CdcException(
                FailureKind.Preflight,
                $"The engine does not let the role in: {e.MessageText}",
                "Mend user and password in Engine:ConnectionString, or the server's pg_hba.conf.",
                e
            ),
            PostgresErrorCodes.InvalidCatalogName => new CdcException(
                FailureKind.Preflight,
                $"The engine has no such database: {e.MessageText}",
                "Create it, or name the right one in Engine:ConnectionString.",
                e
            ),
            PostgresErrorCodes.InsufficientPrivilege => new CdcException(
                FailureKind.Preflight,
                $"The engine refused: {e.MessageText}",
                "Grant it to the role of Engine:ConnectionString, or let it own the engine's tables.",
                e
            ),
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.InvalidSchemaName =>
                new CdcException(
                    FailureKind.Migration,
                    $"The engine's tables are not what this program needs: {e.MessageText}",
                    "Run 'cdc migrate'.",
                    e
                ),
            _ when IsTransient(e) => new CdcException(
                FailureKind.Unavailable,
                $"The engine refused for now ({e.SqlState}): {e.MessageText}",
                "Nothing is lost; it is tried again. Look at the engine's disk, memory and log.",
                e
            ),
            _ => new CdcException(
                FailureKind.Unexpected,
                $"The engine refused ({e.SqlState}): {e.MessageText}",
                "See the engine's server log.",
                e
            ),
        };

    /// <summary>Goes away without any change: connection lost (08), rolled back (40), resources (53), operator intervention (57), system (58), lock not available.</summary>
    private static bool IsTransient(PostgresException e) =>
        e.SqlState[..2] is "08" or "40" or "53" or "57" or "58" || e.SqlState is "55P03" or "55006";
}
