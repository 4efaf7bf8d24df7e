using Npgsql;

namespace Cdc.Apply;

/// <summary>What a failure of the engine means, decided by SQLSTATE alone.</summary>
internal static class EngineErrors
{
    public const string UniqueViolation = "23505";

    /// <summary>The row's own: class 22 (data exception) and 23 (integrity constraint violation). Any other row may still be applied.</summary>
    public static bool IsOfRow(PostgresException e) =>
        e.SqlState.StartsWith("22", StringComparison.Ordinal) || e.SqlState.StartsWith("23", StringComparison.Ordinal);

    /// <summary>Retrying without any change can succeed: connection lost (08), rolled back (40), resources (53), operator intervention (57), system (58), lock not available.</summary>
    public static bool IsTransient(Exception e) => e switch
    {
        PostgresException p => p.SqlState[..2] is "08" or "40" or "53" or "57" or "58" || p.SqlState is "55P03" or "55006",
        NpgsqlException => true,
        IOException or System.Net.Sockets.SocketException or TimeoutException => true,
        _ => false,
    };
}
