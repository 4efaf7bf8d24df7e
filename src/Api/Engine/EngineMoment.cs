using Cdc.Core.Changes;
using Cdc.Core.Progress;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Engine;

/// <summary>What the engine said of itself in the snapshot of one statement.</summary>
/// <param name="State">creating, streaming, gap; null: it follows no source yet.</param>
/// <param name="AsOf">Everything committed until then, by the source's clock, is applied: of the last applied transaction, or of a heartbeat since.</param>
/// <param name="TableState">loading, streaming, stopped; null: nothing is known of the table yet.</param>
internal sealed record EngineMoment(
    string? State,
    AppliedThrough Through,
    string? SystemIdentifier,
    DateTimeOffset? AsOf,
    string? TableState
)
{
    /// <summary>Columns of <see cref="From"/>, in the order that <see cref="Read"/> expects.</summary>
    public const string Columns =
        "s.state, coalesce(s.generation, 0), s.system_identifier, coalesce(k.through_lsn, '0/0'), CASE WHEN isfinite(k.as_of) THEN k.as_of END, t.state";

    /// <summary>To be joined without a condition: it has exactly one row for the entity. Over Kafka what is reached is what every partition has reached.</summary>
    public static string From(string entityLiteral) =>
        $"(VALUES (1)) one LEFT JOIN cdc.source s ON true LEFT JOIN (SELECT min(through_lsn) AS through_lsn, greatest(min(last_commit_at), min(as_of)) AS as_of FROM cdc.checkpoints) k ON true LEFT JOIN cdc.tables t ON t.entity = {entityLiteral}";

    /// <summary>The one of which the other is a later moment; null: they cannot be compared.</summary>
    public static EngineMoment? Earlier(EngineMoment a, EngineMoment b) =>
        a.Through.Generation != b.Through.Generation || a.SystemIdentifier != b.SystemIdentifier ? null
        : a.Through.Lsn <= b.Through.Lsn ? a
        : b;

    public static EngineMoment Read(NpgsqlDataReader row, int first) =>
        new(
            row.IsDBNull(first) ? null : row.GetString(first),
            new AppliedThrough(row.GetInt32(first + 1), new Lsn((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(first + 3))),
            row.IsDBNull(first + 2) ? null : row.GetString(first + 2),
            row.IsDBNull(first + 4) ? null : row.GetFieldValue<DateTimeOffset>(first + 4),
            row.IsDBNull(first + 5) ? null : row.GetString(first + 5)
        );
}
