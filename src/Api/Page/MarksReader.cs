using Cdc.Api.Engine;
using Cdc.Core.Postgres;
using Cdc.Engine.Rows;
using Npgsql;

namespace Cdc.Api.Page;

/// <summary>Checks cheaply whether lists on the page have changed.</summary>
internal sealed class MarksReader(EngineReads engine)
{
    private const string Sql = $"""
        SELECT {RowStateSql.QuarantineMark},
            (SELECT concat_ws(':', id, finished_at) FROM cdc.reconcile_runs WHERE state = 'done' ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM cdc.drift WHERE resolved_at IS NULL)
        """;

    /// <exception cref="EngineUnavailableException"/>
    public Task<EngineMarks> ReadAsync(CancellationToken ct) =>
        engine.UseAsync(
            async connection =>
                (
                    await connection
                        .Statement(Sql)
                        .RowsAsync(row => new EngineMarks(row.GetString(0), row.Get<string>(1), row.GetInt64(2)), ct)
                ).Single(),
            ct
        );
}

/// <param name="Runs">Of the newest run that is done; null: none is.</param>
internal sealed record EngineMarks(string Quarantine, string? Runs, long OpenDrift);
