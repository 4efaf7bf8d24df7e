using Cdc.Core.Fences;

namespace Cdc.Engine.Fences;

/// <summary>Moves of a fence, each a compare-and-set that tells who asked. One row comes back when it was done.</summary>
public static class FenceSql
{
    /// <summary>Nobody waits for these any more, and who would have said so is gone.</summary>
    public const string BreakExpired = """
        UPDATE cdc.fences SET state = 'broken', reason = 'expired', detail = 'Its time ran out while it was ' || state || '.', ended_at = clock_timestamp()
        WHERE state IN ('announced', 'armed', 'read') AND expires_at < clock_timestamp()
        """;

    /// <summary>$1 session.</summary>
    public const string Pending = """
        SELECT id, entity, from_key, to_key, state, source_snapshot::text FROM cdc.fences
        WHERE state = 'announced' OR (state IN ('armed', 'read') AND session = $1) ORDER BY id
        """;

    /// <summary>$1 oldest id that is kept. Closed ones are looked at by people alone.</summary>
    public const string Prune = "DELETE FROM cdc.fences WHERE id < $1";

    /// <summary>$1 fence, $2 session, $3 generation.</summary>
    public const string Arm = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'armed', session = $2, generation = $3, reason = NULL, detail = NULL, armed_at = clock_timestamp()
            WHERE id = $1 AND state = 'announced' AND EXISTS (SELECT FROM cdc.source WHERE session = $2) RETURNING id)
        {Answer}
        """;

    /// <summary>$1 fence, $2 reason, $3 detail.</summary>
    public const string Postpone =
        "UPDATE cdc.fences SET reason = $2, detail = $3 WHERE id = $1 AND state = 'announced' AND (reason, detail) IS DISTINCT FROM ($2, $3)";

    /// <summary>$1 fence, $2 session, $3 marker, $4 keys in flight, $5 whether all are.</summary>
    public const string Reach = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'reached', marker_lsn = $3, in_flight = $4, in_flight_all = $5, reached_at = clock_timestamp()
            WHERE id = $1 AND state = 'read' AND session = $2 AND expires_at > clock_timestamp() RETURNING id)
        {Answer}
        """;

    /// <summary>$1 fence.</summary>
    public const string State = "SELECT state FROM cdc.fences WHERE id = $1";

    /// <summary>$1 session that begins: those of older ones end. What is open is compared already, and stays right.</summary>
    public const string BreakOlderSessions = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'broken', reason = 'session', detail = 'The session of the pipeline that armed it has ended.', ended_at = clock_timestamp()
            WHERE state IN ('armed', 'read', 'reached') AND session < $1 RETURNING id)
        {Answer}
        """;

    /// <summary>$1 fence, $2 reason, $3 detail. Not one that is open or has ended.</summary>
    public const string Break = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'broken', reason = $2, detail = $3, ended_at = clock_timestamp()
            WHERE id = $1 AND state IN ('announced', 'armed', 'read', 'reached') RETURNING id)
        {Answer}
        """;

    private const string Answer = $"SELECT pg_notify('{FenceChannels.Answers}', id::text) FROM moved";
}
