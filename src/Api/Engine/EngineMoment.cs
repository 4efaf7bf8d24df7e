using Cdc.Core.Changes;
using Cdc.Core.Progress;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Engine;

/// <summary>What the engine said of itself in the snapshot of one statement.</summary>
/// <param name="State">creating, streaming, gap; null: it follows no source yet.</param>
/// <param name="LastCommit">Commit time of the last applied transaction, by the source's clock.</param>
/// <param name="TableState">loading, streaming, stopped; null: nothing is known of the table yet.</param>
internal sealed record EngineMoment(string? State, AppliedThrough Through, string? SystemIdentifier, DateTimeOffset? LastCommit, string? TableState)
{
    /// <summary>Columns of <see cref="From"/>, in the order that <see cref="Read"/> expects.</summary>
    public const string Columns =
        "s.state, coalesce(s.generation, 0), s.system_identifier, coalesce(k.through_lsn, '0/0'), CASE WHEN isfinite(k.last_commit_at) THEN k.last_commit_at END, t.state";

    /// <summary>To be joined without a condition: it has exactly one row for the entity. Over Kafka what is reached is what every partition has reached.</summary>
    public static string From(string entityLiteral) =>
        $"(VALUES (1)) one LEFT JOIN cdc.source s ON true LEFT JOIN (SELECT min(through_lsn) AS through_lsn, min(last_commit_at) AS last_commit_at FROM cdc.checkpoints) k ON true LEFT JOIN cdc.tables t ON t.entity = {entityLiteral}";

    public static EngineMoment Read(NpgsqlDataReader row, int first) => new(
        row.IsDBNull(first) ? null : row.GetString(first),
        new AppliedThrough(row.GetInt32(first + 1), new Lsn((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(first + 3))),
        row.IsDBNull(first + 2) ? null : row.GetString(first + 2),
        row.IsDBNull(first + 4) ? null : row.GetFieldValue<DateTimeOffset>(first + 4),
        row.IsDBNull(first + 5) ? null : row.GetString(first + 5));
}
