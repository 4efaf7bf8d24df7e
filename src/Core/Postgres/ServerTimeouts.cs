using System.Globalization;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>
/// How long a server may take before it counts as unreachable. A network that drops packets reports nothing: without these a connection to
/// a server that is gone lives as long as the operating system allows, which is hours where nothing is being sent.
/// </summary>
public static class ServerTimeouts
{
    /// <summary>
    /// Seconds for an answer to a question that costs the server nothing: the pulse of the engine, the heartbeat of the source.
    /// </summary>
    public const int AnswerSeconds = 15;

    /// <summary>Seconds for any other question, unless it is known to take long.</summary>
    private const int QuestionSeconds = 30;

    // A connection made within 5 s; an idle one asked after 10 s by Npgsql, and by the system beneath it, then every 5 s. Of several hosts,
    // what each of them is counts for a second: a failover is noticed, and a server that was restarted is not left alone for ten.
    private const string Defaults =
        "Timeout=5;Cancellation Timeout=2000;Keepalive=10;Tcp Keepalive=true;Tcp Keepalive Time=10;Tcp Keepalive Interval=5;"
        + "Host Recheck Seconds=1";

    /// <summary>
    /// A connection string with these time-outs, and what every connection begins with. Time-outs that it has itself win.
    /// </summary>
    public static NpgsqlConnectionStringBuilder Settings(string connectionString, int commandSeconds = QuestionSeconds) =>
        SessionSettings.Connection(
            string.Create(CultureInfo.InvariantCulture, $"{Defaults};Command Timeout={commandSeconds};{connectionString}")
        );
}
