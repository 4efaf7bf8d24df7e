using Cdc.Core.Changes;
using Cdc.Host.Servers;
using Npgsql;

namespace Cdc.Host.Slots;

/// <summary>The source that the engine follows, as it is recorded there.</summary>
/// <param name="WrittenLsn">Nothing above it was ever confirmed to the slot.</param>
/// <param name="Through">All commits that start below it are applied; zero without a checkpoint.</param>
internal sealed record FollowedSource(
    string State, int Generation, string SystemIdentifier, int Timeline, string Database, string Slot, string Publication,
    Lsn WrittenLsn, Lsn Through, string? GapKind, string? GapDetail)
{
    private const string Sql =
        """
        SELECT state, generation, system_identifier, timeline, database_name, slot, publication, written_lsn::text,
               COALESCE((SELECT max(through_lsn) FROM cdc.checkpoints), '0/0')::text, gap_kind, gap_detail
        FROM cdc.source
        """;

    /// <summary>Null: this engine follows no source yet.</summary>
    public static async Task<FollowedSource?> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.ListAsync(Sql, [], Read, ct)).SingleOrDefault();

    private static FollowedSource Read(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetInt32(3), row.GetString(4), row.GetString(5), row.GetString(6),
        Lsn.Parse(row.GetString(7)), Lsn.Parse(row.GetString(8)), row.Get<string>(9), row.Get<string>(10));
}
