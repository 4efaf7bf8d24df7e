using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Reverse;

/// <summary>A process that sends.</summary>
/// <param name="State">sending; waiting: Odoo is away; stopped: a person has to do what the remedy says.</param>
public sealed record ReverseProcess(
    Guid Worker,
    string Host,
    string State,
    string? Code,
    string? Message,
    string? Remedy,
    DateTime Since,
    DateTime SeenAt
);

/// <summary>How the way back stands.</summary>
/// <param name="Stopped">Cards, the first hundred.</param>
public sealed record ReverseStatus(OwnChangeCounts Counts, IReadOnlyList<StoppedCard> Stopped, IReadOnlyList<ReverseProcess> Processes)
{
    private const string ProcessesSql =
        "SELECT worker, host, state, code, message, remedy, since, seen_at FROM cdc.reverse_workers ORDER BY started_at";

    public static async Task<ReverseStatus> ReadAsync(NpgsqlConnection engine, CancellationToken ct) =>
        new(
            await SyncLogTable.CountAsync(engine, ct),
            await SyncLogTable.StoppedAsync(engine, ct),
            await engine.Statement(ProcessesSql).RowsAsync(ReadProcess, ct)
        );

    private static ReverseProcess ReadProcess(NpgsqlDataReader row) =>
        new(
            row.GetGuid(0),
            row.GetString(1),
            row.GetString(2),
            Text(row, 3),
            Text(row, 4),
            Text(row, 5),
            row.GetDateTime(6),
            row.GetDateTime(7)
        );

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
