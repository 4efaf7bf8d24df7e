using System.Diagnostics;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Demo;

/// <summary>Queries both databases.</summary>
internal sealed class DemoProbe(DemoServers servers, EntitySet entities)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private long? _firstTransactions;

    public async Task<DemoSample> SampleAsync(CancellationToken ct)
    {
        var samples = new List<EntitySample>();
        foreach (var entity in entities.All)
            samples.Add(
                new EntitySample(
                    entity.Name,
                    await NumberAsync(servers.Source, $"SELECT count(*) FROM {entity.SourceName}", ct),
                    await NumberAsync(servers.Engine, $"SELECT count(*) FROM {entity.EngineName}", ct),
                    await NumberAsync(servers.Engine, $"SELECT count(*) FROM cdc.quarantine WHERE entity = {Sql.Literal(entity.Name)}", ct)
                )
            );
        var transactions = await NumberAsync(
            servers.Source,
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()",
            ct
        );
        _firstTransactions ??= transactions;
        var (bytes, milliseconds) = await LagAsync(ct);
        return new DemoSample(samples, bytes, milliseconds, transactions - _firstTransactions.Value, _clock.Elapsed);
    }

    /// <summary>Both servers run on this machine: their clocks are one.</summary>
    private async Task<(long Bytes, double? Milliseconds)> LagAsync(CancellationToken ct)
    {
        await using var position = servers.Source.CreateCommand("SELECT pg_current_wal_lsn()::text");
        var written = (string)(await position.ExecuteScalarAsync(ct))!;
        await using var command = servers.Engine.CreateCommand(
            """
            SELECT greatest(pg_wal_lsn_diff($1::pg_lsn, min(through_lsn)), 0)::bigint,
                CASE WHEN isfinite(max(applied_at)) THEN extract(epoch FROM clock_timestamp() - max(applied_at)) * 1000 ELSE 0 END::float8,
                EXISTS (SELECT FROM cdc.tables WHERE state = 'loading')
            -- Of the partition that is furthest behind: one to which nothing comes says nothing.
            FROM (SELECT through_lsn, CASE WHEN through_lsn = min(through_lsn) OVER () THEN greatest(last_commit_at, as_of) END AS applied_at FROM cdc.checkpoints) c
            """
        );
        command.Parameters.AddWithValue(written);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        if (reader.IsDBNull(0))
            return (0, null);
        var bytes = reader.GetInt64(0);
        return (
            bytes,
            reader.GetBoolean(2) ? null
            : bytes == 0 ? 0
            : reader.GetDouble(1)
        );
    }

    private static async Task<long> NumberAsync(NpgsqlDataSource database, string sql, CancellationToken ct)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }
}
