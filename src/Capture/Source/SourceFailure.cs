using System.Net.Sockets;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Npgsql;

namespace Cdc.Capture.Source;

/// <summary>What an error of the source's driver or server means: one table, by SQLSTATE, for every place that talks to the source.</summary>
/// <param name="Code">A stable word, as in a <see cref="Finding"/>.</param>
/// <param name="Kind"><see cref="FailureKind.Unavailable"/> goes away by itself: try again.</param>
public sealed record SourceFailure(string Code, FailureKind Kind, string Message, string Remedy)
{
    internal const string UnreachableCode = "source-unreachable";

    public bool IsRetriable => Kind == FailureKind.Unavailable;

    /// <returns>Null for what is not the source's doing: a defect of ours, or a cancellation.</returns>
    public static SourceFailure? Of(Exception exception) =>
        exception switch
        {
            PostgresException e => OfServer(e),
            NpgsqlException { InnerException: null } e => Login("source-login", e.Message),
            NpgsqlException { InnerException: System.Security.Authentication.AuthenticationException } e => Login("source-tls", e.Message),
            NpgsqlException or SocketException or EndOfStreamException or TimeoutException or IOException => Unreachable(exception.Message),
            _ => null,
        };

    /// <summary>Runs a piece of work against the source; what fails in it is the source's doing.</summary>
    /// <exception cref="CdcException">Typed, with its remedy.</exception>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception e) when (Of(e) is { } failure)
        {
            throw failure.ToException(e);
        }
    }

    public Finding ToFinding() => new(Code, IsError: true, Message, Remedy);

    public CdcException ToException(Exception inner) => new(Kind, Message, Remedy, inner);

    private static SourceFailure OfServer(PostgresException e) =>
        e.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword => Login("source-password", e.MessageText),
            PostgresErrorCodes.InvalidAuthorizationSpecification => Login("source-login", e.MessageText),
            PostgresErrorCodes.InvalidCatalogName => new(
                "source-database",
                FailureKind.Preflight,
                $"The source has no such database: {e.MessageText}.",
                "Name Odoo's database in Source:ConnectionString (\\l in psql lists them)."
            ),
            PostgresErrorCodes.InsufficientPrivilege => new(
                "source-privilege",
                FailureKind.Preflight,
                $"The source refused: {e.MessageText}.",
                "Run 'cdc check': it names every missing privilege with its GRANT."
            ),
            PostgresErrorCodes.ObjectInUse => new(
                "source-in-use",
                FailureKind.Unavailable,
                $"The source has it in use: {e.MessageText}.",
                "Wait for the other process to end, or stop it ('cdc slot show' names its pid)."
            ),
            _ when IsTransient(e.SqlState) => Unreachable(e.MessageText),
            _ => new(
                "source-refused",
                FailureKind.Unexpected,
                $"The source refused ({e.SqlState}): {e.MessageText}.",
                "See the source's server log."
            ),
        };

    /// <summary>
    /// Connection broken (08), out of connections, memory or disk (53), shutting down or starting up (57, but for our own cancel), lost against
    /// another transaction (40, 55P03). Not Npgsql's list, which has 55000 in it: a lost slot would be retried for ever.
    /// </summary>
    private static bool IsTransient(string sqlState) =>
        sqlState[..2] is "08" or "40" or "53"
        || sqlState == PostgresErrorCodes.LockNotAvailable
        || (sqlState.StartsWith("57", StringComparison.Ordinal) && sqlState != PostgresErrorCodes.QueryCanceled);

    private static SourceFailure Login(string code, string message) =>
        new(
            code,
            FailureKind.Preflight,
            $"The source does not let the role in: {message}.",
            "Mend user and password in Source:ConnectionString, or the server's pg_hba.conf."
        );

    private static SourceFailure Unreachable(string message) =>
        new(
            UnreachableCode,
            FailureKind.Unavailable,
            $"The source cannot be reached: {message}.",
            "Start the source, or mend host and port in Source:ConnectionString."
        );
}
