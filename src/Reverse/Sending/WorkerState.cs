using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Reverse.Sending;

/// <summary>What a process that sends says of itself in cdc.reverse_workers; gone from there when it was not heard of for a day.</summary>
/// <param name="Name">sending; waiting: Odoo is away; stopped: a person has to do what the remedy says.</param>
internal sealed record WorkerState(Guid Worker, string Name, string? Code = null, string? Message = null, string? Remedy = null)
{
    private const string WriteSql = """
        WITH forgotten AS (DELETE FROM cdc.reverse_workers WHERE seen_at < now() - interval '1 day' AND worker <> $1)
        INSERT INTO cdc.reverse_workers AS w (worker, host, state, code, message, remedy) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (worker) DO UPDATE SET seen_at = now(), state = EXCLUDED.state, code = EXCLUDED.code, message = EXCLUDED.message,
            remedy = EXCLUDED.remedy, since = CASE WHEN w.state = EXCLUDED.state THEN w.since ELSE now() END
        """;

    public Task WriteAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement(WriteSql, Worker, Environment.MachineName, Name, Code, Message, Remedy).ExecuteAsync(ct);

    public static Task ForgetAsync(NpgsqlConnection connection, Guid worker, CancellationToken ct) =>
        connection.Statement("DELETE FROM cdc.reverse_workers WHERE worker = $1", worker).ExecuteAsync(ct);
}
