using System.Net.Sockets;
using System.Security.Authentication;
using Cdc.Core.Failures;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>One of the two PostgreSQL servers.</summary>
public enum Server
{
    Source,
    Engine,

    /// <summary>One of the two; which one is not known here.</summary>
    Either,
}

/// <summary>
/// What an error of a server, of its driver or of the network to it means: one table for both servers and for every place.
/// </summary>
/// <param name="Code">A stable word, as in a <see cref="Finding"/>, such as <c>source-login</c>.</param>
/// <param name="Kind"><see cref="FailureKind.Unavailable"/> passes by itself: try again.</param>
public sealed record ServerFailure(string Code, FailureKind Kind, string Message, string Remedy)
{
    private const string TriedAgain = "Nothing is lost: 'cdc run' tries again by itself; run any other command again.";

    /// <summary>Waiting helps, with nothing changed on our side.</summary>
    public bool IsRetriable => Kind == FailureKind.Unavailable;

    /// <param name="name">Of the server in messages, such as <c>engine db:5432/loyalty</c>; without: source or engine.</param>
    /// <returns>Null for what is no server's doing: a defect of cdc, or a cancellation.</returns>
    public static ServerFailure? Of(Server server, Exception exception, string? name = null) =>
        exception switch
        {
            PostgresException e => OfAnswer(new Subject(server, name), e),
            SharedSessionException => new Subject(server, name).Shared(),
            NpgsqlException { InnerException: PostgresException e } => OfAnswer(new Subject(server, name), e),
            NpgsqlException { InnerException: AuthenticationException } => new Subject(server, name).Login("tls", exception.Message),
            _ when MissingPassword.Is(exception) => new Subject(server, name).Login("login", "it wants a password"),
            NpgsqlException { InnerException: AggregateException hosts } => OfHosts(new Subject(server, name), hosts),
            NpgsqlException => new Subject(server, name).Unreachable(exception.Message),
            _ when IsClosedConnection(exception) => new Subject(server, name).Unreachable("the connection was lost"),
            // Npgsql throws these bare as well. A file may be meant by the last one, where it is not known that a server was asked.
            SocketException or TimeoutException => new Subject(server, name).Unreachable(exception.Message),
            IOException when server != Server.Either => new Subject(server, name).Unreachable(exception.Message),
            _ => null,
        };

    /// <summary>It answers, but not what was asked: a table that every session of cdc needs is locked.</summary>
    /// <param name="name">As for <see cref="Of"/>.</param>
    /// <param name="holders">Sentences of <see cref="LockHolders"/>.</param>
    public static ServerFailure Locked(Server server, string? name, string holders) =>
        new Subject(server, name).Says(
            "locked",
            FailureKind.Unavailable,
            $"answers, but is kept waiting by a lock: {holders}",
            $"Wait until the lock is given back, or end that session. {TriedAgain}"
        );

    /// <summary>For the operator, with its remedy.</summary>
    public CdcException ToException(Exception inner) => new(Kind, Message, Remedy, inner);

    public Finding ToFinding() => new(Code, IsError: true, Message, Remedy) { Kind = Kind };

    /// <summary>
    /// What is asked of a connection after the one that broke it. Npgsql has no exception type for it, and the first failure is not always
    /// the one that is seen.
    /// </summary>
    private static bool IsClosedConnection(Exception e) =>
        e is InvalidOperationException { Source: "Npgsql" } and not ObjectDisposedException
        && e.Message.StartsWith("Connection is not open", StringComparison.Ordinal);

    /// <summary>
    /// Of several hosts none was what was looked for: a wrong password on a standby is not the reason why the primary is away, so this
    /// waits. Where one is behind a pooler, that is to be changed.
    /// </summary>
    private static ServerFailure OfHosts(Subject server, AggregateException hosts) =>
        hosts.InnerExceptions.Any(e => e is SharedSessionException)
            ? server.Shared()
            : server.Unreachable(
                string.Join(
                    "; ",
                    hosts.InnerExceptions.Select(e => (e as PostgresException)?.MessageText ?? e.Message).Distinct(StringComparer.Ordinal)
                )
            );

    private static ServerFailure OfAnswer(Subject server, PostgresException e)
    {
        var text = Sentence(e.MessageText);
        return SqlStates.Of(e.SqlState) switch
        {
            SqlStateClass.Login => server.Login(e.SqlState == PostgresErrorCodes.InvalidPassword ? "password" : "login", e.MessageText),
            SqlStateClass.Database => server.Says(
                "database",
                FailureKind.Configuration,
                $"has no such database: {text}",
                $"Name the right one in {server.Option} (\\l in psql lists them), or create it."
            ),
            SqlStateClass.Setting => server.Says(
                "setting",
                FailureKind.Configuration,
                $"refuses a setting: {text}",
                $"Take it out of {server.Option}, or out of ALTER ROLE … SET."
            ),
            SqlStateClass.Privilege => server.Says("privilege", FailureKind.Preflight, $"refused: {text}", server.PrivilegeRemedy),
            SqlStateClass.Feature => server.Says(
                "feature",
                FailureKind.Preflight,
                $"cannot do this ({e.SqlState}): {text}",
                $"Run 'cdc check'. If row security is on for the table: ALTER ROLE … BYPASSRLS for the role of {server.Option}."
            ),
            SqlStateClass.State => server.Says(
                "refused",
                FailureKind.Preflight,
                $"is not in the state that this needs ({e.SqlState}): {text}",
                "Run 'cdc check': it names what is missing. See also the server's log."
            ),
            SqlStateClass.Object => server.Objects(e.SqlState, text),
            SqlStateClass.InUse => server.Says(
                "in-use",
                FailureKind.Unavailable,
                $"has it in use: {text}",
                "Wait for the other process to end, or stop it ('cdc slot show' names its pid)."
            ),
            SqlStateClass.ReadOnly => server.Says(
                "read-only",
                FailureKind.Unavailable,
                $"takes no writes now: {text}",
                $"See whether its disk is full, whether default_transaction_read_only is on, or whether it is a standby now. {TriedAgain}"
            ),
            SqlStateClass.Connections => server.Says(
                "connections",
                FailureKind.Unavailable,
                $"has no free connection: {text}",
                $"End other sessions, or raise max_connections, max_wal_senders or the CONNECTION LIMIT of role and database. {TriedAgain}"
            ),
            SqlStateClass.Ended => server.Says(
                "ended",
                FailureKind.Unavailable,
                $"ended the session ({e.SqlState}): {text}",
                $"Sessions of cdc set the time-outs to 0: see whether a pooler or an administrator set them again. {TriedAgain}"
            ),
            SqlStateClass.Damaged => server.Says(
                "damaged",
                FailureKind.Unavailable,
                $"says that its files are damaged ({e.SqlState}): {text}",
                $"See its log; REINDEX helps where only an index is damaged (XX002), else a backup. {TriedAgain}"
            ),
            SqlStateClass.Session => server.Unreachable(e.MessageText),
            // A statement that writes rows keeps its own to itself: here it is one that does not.
            SqlStateClass.Row => server.Says(
                "refused",
                FailureKind.Unavailable,
                $"refused a value ({e.SqlState}): {text}",
                $"See the server's log. {TriedAgain}"
            ),
            _ => server.Says("busy", FailureKind.Unavailable, $"refused for now ({e.SqlState}): {text}", TransientRemedy(e.SqlState)),
        };
    }

    private static string TransientRemedy(string sqlState) =>
        sqlState switch
        {
            PostgresErrorCodes.QueryCanceled => "The statement was cancelled, by hand or by a statement_timeout; "
                + $"a slot is made only when every transaction that is open has ended. {TriedAgain}",
            PostgresErrorCodes.ConfigurationLimitExceeded =>
                $"Drop a replication slot that nothing uses, or raise max_replication_slots. {TriedAgain}",
            PostgresErrorCodes.DiskFull => $"Make room on the server's disk. {TriedAgain}",
            PostgresErrorCodes.InvalidSqlStatementName or PostgresErrorCodes.DuplicatePreparedStatement =>
                $"A pooler in transaction mode may be between: connect to the server itself, or let it pool sessions. {TriedAgain}",
            _ => $"Check the server's disk, memory, locks and log. {TriedAgain}",
        };

    private static string Sentence(string text) => text.TrimEnd('.', ' ') + ".";

    private readonly record struct Subject(Server Server, string? Name)
    {
        public string Option =>
            Server switch
            {
                Server.Source => "Source:ConnectionString",
                Server.Engine => "Engine:ConnectionString",
                _ => "Source:ConnectionString or Engine:ConnectionString",
            };

        public string PrivilegeRemedy =>
            Server == Server.Engine
                ? "Grant it to the role of Engine:ConnectionString, or let it own the engine's tables; 'cdc check' names what is missing."
                : "Run 'cdc check': it names every missing privilege with its GRANT.";

        public ServerFailure Says(string code, FailureKind kind, string words, string remedy) =>
            new($"{Word}-{code}", kind, $"{(Server == Server.Either ? "A" : "The")} {Name ?? Word} {words}", remedy);

        public ServerFailure Login(string code, string text) =>
            Says(
                code,
                FailureKind.Configuration,
                $"refuses the login: {Sentence(text)}",
                code == "tls"
                    ? $"Correct the SSL settings in {Option}, or the server's certificate."
                    : $"Correct user and password in {Option}, or the server's pg_hba.conf."
            );

        public ServerFailure Shared() =>
            Says(
                "pooler",
                FailureKind.Configuration,
                "is behind a pooler that gives a backend to another client after each transaction (PgBouncer's pool_mode = transaction or "
                    + "statement): locks, LISTEN, settings and temporary tables of cdc would be another client's.",
                $"Name the server itself in {Option}"
                    + (
                        Server == Server.Source
                            ? ": replication needs it too."
                            : ", or give cdc's user sessions of its own: in PgBouncer pool_mode=session of its entry under [databases]."
                    )
            );

        public ServerFailure Unreachable(string text) =>
            Says(
                "unreachable",
                FailureKind.Unavailable,
                $"cannot be reached: {Sentence(text)}",
                $"Start the {Word}, or correct host and port in {Option}."
            );

        /// <summary>The engine's tables are ours to make; the source's are Odoo's.</summary>
        public ServerFailure Objects(string sqlState, string text) =>
            Server == Server.Engine
                ? Says(
                    "migrations",
                    FailureKind.Migration,
                    $"has not the tables that this version needs ({sqlState}): {text}",
                    "Run 'cdc migrate'. Where it has nothing to do, 'cdc check' names what is missing."
                )
                : Says(
                    "refused",
                    FailureKind.Preflight,
                    $"has not what this needs ({sqlState}): {text}",
                    "Run 'cdc check': it names the missing tables and columns."
                );

        private string Word =>
            Server switch
            {
                Server.Source => "source",
                Server.Engine => "engine",
                _ => "server",
            };
    }
}
