using Cdc.Api.Engine;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Api.Page;

/// <summary>Tells cheaply whether lists on the page have changed.</summary>
internal sealed class MarksReader(EngineReads engine)
{
    private const string Sql = """
        SELECT (SELECT concat_ws(':', count(*), sum(attempts), count(*) FILTER (WHERE retry_requested), max(last_seen)) FROM cdc.quarantine),
            (SELECT concat_ws(':', id, finished_at) FROM cdc.reconcile_runs WHERE state = 'done' ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM cdc.drift WHERE resolved_at IS NULL)
        """;

    /// <exception cref="EngineUnavailableException"/>
    public Task<EngineMarks> ReadAsync(CancellationToken ct) =>
        engine.UseAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(Sql, connection);
                await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
                await row.ReadAsync(ct).ConfigureAwait(false);
                return new EngineMarks(row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetInt64(2));
            },
            ct
        );
}

/// <param name="Runs">Of the newest run that is done; null: none is.</param>
internal sealed record EngineMarks(string Quarantine, string? Runs, long OpenDrift);
