using Cdc.Core.Snapshots;

namespace Cdc.Engine.Tables;

/// <summary>What becomes of what another process asked for.</summary>
public enum RequestState
{
    /// <summary>Nothing yet.</summary>
    Open,

    /// <summary>Chunks are cut for it.</summary>
    Accepted,

    /// <summary>All of its chunks are done.</summary>
    Done,

    /// <summary>It cannot be done; its answer says why.</summary>
    Refused,
}

/// <summary>cdc.requests as the pipeline serves it.</summary>
internal static class RequestTable
{
    /// <summary>Their chunks are gone.</summary>
    public const string ReopenSql = "UPDATE cdc.requests SET state = 'open' WHERE state = 'accepted'";

    /// <summary>$1 entity, when chunks of it are done: a request is, when all of its chunks are.</summary>
    public const string AnswerSql = $"""
        WITH done AS (
            UPDATE cdc.requests r SET state = 'done', answered_at = now(), answer = s.rows || ' rows read, ' || s.swept || ' rows removed'
            FROM (SELECT request, sum(rows) AS rows, sum(swept) AS swept, count(*) FILTER (WHERE state <> 'done') AS unfinished
                  FROM cdc.chunks WHERE request IN (SELECT id FROM cdc.requests WHERE entity = $1 AND state = 'accepted') GROUP BY request) s
            WHERE r.id = s.request AND s.unfinished = 0 RETURNING r.id)
        SELECT pg_notify('{RequestChannels.Answers}', id::text) FROM done
        """;
}
