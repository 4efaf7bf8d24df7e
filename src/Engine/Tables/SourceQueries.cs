using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>cdc.source for readers of the pipeline's state.</summary>
public static class SourceQueries
{
    /// <summary>The generation in which the engine follows its source, as an expression; NULL where it follows none.</summary>
    public const string Generation = "(SELECT generation FROM cdc.source)";

    private const string GenerationSql = "SELECT generation FROM cdc.source";

    private const string SlotSql = "SELECT state, slot, gap_kind, gap_detail FROM cdc.source";

    /// <summary>No row: the source may be read.</summary>
    internal const string PauseSql =
        $"SELECT paused_until, extract(epoch FROM paused_until - clock_timestamp())::float8, coalesce(paused_by, '') FROM cdc.source WHERE {IsPaused}";

    /// <summary>Nobody may have a session at the source, as an expression over cdc.source.</summary>
    internal const string IsPaused = "paused_until > clock_timestamp()";

    // While tables are loaded there is little to compare, and no need for more work.
    private const string SettledSql =
        $"SELECT s.state = 'streaming' AND ({IsPaused}) IS NOT TRUE AND NOT EXISTS (SELECT FROM cdc.tables WHERE state = 'loading') FROM cdc.source s";

    /// <returns>Null: the engine follows no source yet.</returns>
    public static async Task<int?> GenerationAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.Statement(GenerationSql).RowsAsync(row => row.GetInt32(0), ct) is [var generation] ? generation : null;

    /// <returns>Null: the engine follows no source yet.</returns>
    public static async Task<FollowedSlot?> SlotAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (
            await connection
                .Statement(SlotSql)
                .RowsAsync(
                    row => new FollowedSlot(
                        States.Of<SourceState>(row.GetString(0)),
                        row.GetString(1),
                        row.Get<string>(2),
                        row.Get<string>(3)
                    ),
                    ct
                )
        ).SingleOrDefault();

    /// <returns>Null: the source may be read.</returns>
    public static async Task<SourcePause?> PauseAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.Statement(PauseSql).RowsAsync(ReadPause, ct)).SingleOrDefault();

    internal static SourcePause ReadPause(NpgsqlDataReader row) =>
        new(row.Time(0)!.Value, TimeSpan.FromSeconds(row.GetDouble(1)), row.GetString(2));

    /// <summary>Why the entity's table is stopped; null: it is not.</summary>
    public static async Task<string?> StopReasonAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        (
            await connection
                .Statement("SELECT coalesce(reason, '') FROM cdc.tables WHERE entity = $1 AND state = 'stopped'", entity)
                .RowsAsync(row => row.GetString(0), ct)
        ).SingleOrDefault();

    /// <summary>The pipeline streams, and has loaded everything.</summary>
    public static async Task<bool> IsSettledAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.Statement(SettledSql).RowsAsync(row => row.GetBoolean(0), ct)).SingleOrDefault();
}

/// <summary>The slot that is followed, and how.</summary>
public sealed record FollowedSlot(SourceState State, string Name, string? GapKind, string? GapDetail);
