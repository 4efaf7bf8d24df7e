using System.Net.Sockets;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine.Migrations;
using Npgsql;

namespace Cdc.Host.Servers;

/// <summary>One of the two servers, and what its failures mean to somebody who typed a command.</summary>
internal sealed class Database : IAsyncDisposable
{
    private readonly NpgsqlDataSource _connections;
    private readonly string _option;

    private Database(string name, string option, string connectionString)
    {
        var settings = ServerPatience.Settings(connectionString);
        (settings.ApplicationName, settings.MaxPoolSize) = ("cdc", 4);
        (Name, _option, _connections) = (
            $"{name} {settings.Host}:{settings.Port}/{settings.Database}",
            option,
            NpgsqlDataSource.Create(settings)
        );
    }

    /// <summary>Such as <c>source db.example:5432/odoo</c>. Without user or password.</summary>
    public string Name { get; }

    public static Database Source(string connectionString) => new("source", "Source:ConnectionString", connectionString);

    public static Database Engine(string connectionString) => new("engine", "Engine:ConnectionString", connectionString);

    /// <summary>For work that takes many connections; their failures are not translated.</summary>
    public NpgsqlDataSource Connections => _connections;

    /// <exception cref="CdcException">Unavailable, Configuration (login refused, no such database), Preflight (a privilege is missing) or
    /// Migration (the schema cdc is not there).</exception>
    public async Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken ct)
    {
        try
        {
            await using var connection = await _connections.OpenConnectionAsync(ct);
            return await use(connection);
        }
        catch (PostgresException failure) when (Translate(failure) is { } translated)
        {
            throw translated;
        }
        catch (Exception failure) when (MissingPassword.Is(failure))
        {
            throw new CdcException(
                FailureKind.Configuration,
                $"The {Name} refuses the login: it wants a password.",
                $"Add Password=... to {_option}.",
                failure
            );
        }
        catch (Exception failure)
            when (failure
                    is NpgsqlException { InnerException: IOException or SocketException or TimeoutException }
                        or SocketException
                        or TimeoutException
            )
        {
            throw new CdcException(FailureKind.Unavailable, $"The {Name} cannot be reached.", $"Start it, or correct {_option}.", failure);
        }
    }

    public Task UseAsync(Func<NpgsqlConnection, Task> use, CancellationToken ct) =>
        UseAsync(
            async connection =>
            {
                await use(connection);
                return true;
            },
            ct
        );

    public ValueTask DisposeAsync() => _connections.DisposeAsync();

    private CdcException? Translate(PostgresException failure) =>
        failure.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword
            or PostgresErrorCodes.InvalidAuthorizationSpecification
            or PostgresErrorCodes.InvalidCatalogName => new CdcException(
                FailureKind.Configuration,
                $"The {Name} refuses the login: {failure.MessageText}.",
                $"Correct {_option}.",
                failure
            ),
            PostgresErrorCodes.InsufficientPrivilege => new CdcException(
                FailureKind.Preflight,
                $"The {Name} refuses: {failure.MessageText}.",
                "Run 'cdc check': it names the missing privilege and its SQL.",
                failure
            ),
            PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn =>
                new CdcException(
                    FailureKind.Migration,
                    $"The {Name} has not the tables that this version needs: {failure.MessageText}.",
                    "cdc migrate",
                    failure
                ),
            PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.AdminShutdown
            or PostgresErrorCodes.CrashShutdown
            or PostgresErrorCodes.TooManyConnections => new CdcException(
                FailureKind.Unavailable,
                $"The {Name} takes no connections now: {failure.MessageText}.",
                "Wait for it, then run the command again.",
                failure
            ),
            _ => null,
        };
}
