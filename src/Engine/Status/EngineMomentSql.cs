namespace Cdc.Engine.Status;

/// <summary>What the engine says of itself in the snapshot of a statement, to be read beside the rows that it shows.</summary>
public static class EngineMomentSql
{
    /// <summary>
    /// Of <see cref="From"/>: the source's state (NULL: none is followed yet), generation (0), system identifier (NULL), what is applied
    /// (0/0), as of when by the source's clock (NULL), and the table's state (NULL).
    /// </summary>
    public const string Columns =
        "s.state, coalesce(s.generation, 0), s.system_identifier, coalesce(k.through_lsn, '0/0'), CASE WHEN isfinite(k.as_of) THEN k.as_of END, t.state";

    /// <summary>
    /// Exactly one row for the entity, to be joined without a condition. Over Kafka what is reached is what every partition has reached.
    /// </summary>
    public static string From(string entityLiteral) =>
        $"(VALUES (1)) one LEFT JOIN cdc.source s ON true LEFT JOIN (SELECT min(through_lsn) AS through_lsn, greatest(min(last_commit_at), min(as_of)) AS as_of FROM cdc.checkpoints) k ON true LEFT JOIN cdc.tables t ON t.entity = {entityLiteral}";
}
