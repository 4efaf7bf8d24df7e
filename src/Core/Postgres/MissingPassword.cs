using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>
/// The server asks for a password and the connection string has none: Npgsql says so by no code, and it is no server that cannot be
/// reached.
/// </summary>
public static class MissingPassword
{
    public static bool Is(Exception e) =>
        e is NpgsqlException { InnerException: null } and not PostgresException
        && e.Message.StartsWith("No password has been provided", StringComparison.Ordinal);
}
