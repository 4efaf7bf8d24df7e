using Cdc.Core.Fences;

namespace Cdc.Engine.Fences;

/// <summary>
/// Moves of a fence by the side that asks for it, each a compare-and-set that notifies the pipeline. One row comes back when it was done.
/// </summary>
internal static class FenceGateSql
{
    /// <summary>$1 entity, $2 and $3 keys, $4 time.</summary>
    public const string Announce = $"""
        WITH moved AS (
            INSERT INTO cdc.fences (entity, from_key, to_key, expires_at) VALUES ($1, $2, $3, clock_timestamp() + $4) RETURNING id)
        SELECT id, pg_notify('{FenceChannels.Asks}', id::text) FROM moved
        """;

    /// <summary>$1 fence, $2 snapshot.</summary>
    public const string Read = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'read', source_snapshot = $2::text::pg_snapshot, read_at = clock_timestamp() WHERE id = $1 AND state = 'armed' RETURNING id)
        {Ask}
        """;

    /// <summary>$1 fence.</summary>
    public const string Open = $"""
        WITH moved AS (UPDATE cdc.fences SET state = 'open', opened_at = clock_timestamp() WHERE id = $1 AND state = 'reached' RETURNING id)
        {Ask}
        """;

    /// <summary>$1 fence, $2 reason, $3 detail.</summary>
    public const string Break = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'broken', reason = $2, detail = $3, ended_at = clock_timestamp()
            WHERE id = $1 AND state IN ('announced', 'armed', 'read', 'reached', 'open') RETURNING id)
        {Ask}
        """;

    /// <summary>$1 fence.</summary>
    public const string End = "UPDATE cdc.fences SET state = 'done', ended_at = clock_timestamp() WHERE id = $1 AND state = 'open'";

    /// <summary>$1 fence.</summary>
    public const string State = "SELECT state, reason, detail FROM cdc.fences WHERE id = $1";

    /// <summary>$1 fence.</summary>
    public const string Result = "SELECT in_flight_all, in_flight, generation, marker_lsn FROM cdc.fences WHERE id = $1";

    private const string Ask = $"SELECT pg_notify('{FenceChannels.Asks}', id::text) FROM moved";
}
