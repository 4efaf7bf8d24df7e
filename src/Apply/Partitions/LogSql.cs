namespace Cdc.Apply.Partitions;

/// <summary>What a capture session over Kafka writes to the engine.</summary>
internal static class LogSql
{
    /// <summary>One row: the session's number in the engine, and the generation.</summary>
    public const string BeginSession =
        "UPDATE cdc.source SET session = session + 1, updated_at = now() WHERE state = 'streaming' RETURNING session, generation";

    /// <summary>
    /// $1 partitions, $2 their ends. The row of the in-process log is there when a generation has just begun, or when the engine followed its
    /// source in-process until now: every partition begins at its end, since older records lose, or were applied.
    /// </summary>
    public const string BeginGeneration = """
        WITH whole AS (DELETE FROM cdc.checkpoints WHERE partition = 'all' RETURNING generation, through_lsn, as_of)
        INSERT INTO cdc.checkpoints AS c (partition, generation, through_lsn, as_of, owner_token, next_offset)
        SELECT p.name, w.generation, w.through_lsn, w.as_of, gen_random_uuid(), p.until FROM whole w, unnest($1::text[], $2::bigint[]) p(name, until)
        ON CONFLICT (partition) DO UPDATE SET generation = EXCLUDED.generation, last_lsn = '0/0', last_ordinal = 0, last_xid = 0, last_commit_at = '-infinity',
            through_lsn = EXCLUDED.through_lsn, as_of = EXCLUDED.as_of, owner_token = EXCLUDED.owner_token, next_offset = EXCLUDED.next_offset, sequences = '{}', newest_session = 0, updated_at = now()
        """;

    /// <summary>$1 partitions, $2 their ends: topics of entities that were declared since.</summary>
    public const string AddPartitions = """
        INSERT INTO cdc.checkpoints (partition, generation, through_lsn, as_of, owner_token, next_offset)
        SELECT p.name, s.generation, coalesce(c.through_lsn, '0/0'), coalesce(c.as_of, '-infinity'), gen_random_uuid(), p.until
        FROM cdc.source s, (SELECT min(through_lsn) AS through_lsn, min(as_of) AS as_of FROM cdc.checkpoints) c, unnest($1::text[], $2::bigint[]) p(name, until) ON CONFLICT (partition) DO NOTHING
        """;

    /// <summary>$1 partitions: those of entities that are not declared any more would hold everything back.</summary>
    public const string ForgetPartitions = "DELETE FROM cdc.checkpoints WHERE NOT partition = ANY($1)";

    /// <summary>$1 session. No row: it is not the one any more.</summary>
    public const string Session = "SELECT state, gap_kind, gap_detail FROM cdc.source WHERE session = $1";

    /// <summary>
    /// $1 generation, $2 LSN, $3 vector, $4 time or NULL. Those that every partition has passed are of no use any more; while whoever applies is far behind, the
    /// newest one is replaced, so that they stay few.
    /// </summary>
    public const string Through = """
        WITH passed AS (
            DELETE FROM cdc.log_throughs WHERE generation < $1 OR (generation = $1 AND through_lsn < (SELECT min(through_lsn) FROM cdc.checkpoints))),
        replaced AS (
            DELETE FROM cdc.log_throughs WHERE through_lsn = (SELECT max(through_lsn) FROM cdc.log_throughs WHERE generation = $1)
                AND generation = $1 AND (SELECT count(*) FROM cdc.log_throughs) >= 100)
        INSERT INTO cdc.log_throughs (generation, through_lsn, vector, as_of) VALUES ($1, $2, $3::jsonb, $4) ON CONFLICT DO NOTHING
        """;

    /// <summary>$1 partitions of the chunk's topic, locked until COMMIT: none meets a newer session meanwhile.</summary>
    public const string Passed =
        "SELECT partition, next_offset, newest_session FROM cdc.checkpoints WHERE partition = ANY($1) ORDER BY partition COLLATE \"C\" FOR SHARE";

    /// <summary>$1 fence, $2 session, $3 marker, $4 keys in flight, $5 whether all are, $6 vector.</summary>
    public const string Fence = """
        UPDATE cdc.fences SET marker_lsn = $3, in_flight = $4, in_flight_all = $5, vector = $6::jsonb
        WHERE id = $1 AND state = 'read' AND session = $2 AND expires_at > clock_timestamp()
        """;
}
