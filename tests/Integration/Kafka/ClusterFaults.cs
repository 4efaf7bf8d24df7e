using Cdc.Tests.Integration.Pipeline.Matrix;
using Cdc.Tests.Support.Kafka;
using Npgsql;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>What befalls three brokers, one after the other, and the slot, while a campaign goes on.</summary>
internal sealed class ClusterFaults(KafkaCluster cluster, KafkaPipelineBed bed, TableMoves moves)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Enough of Odoo's work to be noticed.</summary>
    private const int BytesOfWal = 200_000;

    private string Slot => bed.Bed.SourceOptions.SlotName;

    public IEnumerable<(string Name, Func<Random, CancellationToken, Task> Play)> All =>
        [
            ("kill a leader", KillAsync),
            ("freeze a leader", FreezeAsync),
            ("cut a leader off", CutAsync),
            ("lose the slot", (_, ct) => LoseSlotAsync(ct)),
        ];

    private Task KillAsync(Random random, CancellationToken ct) => AwayAsync(random, cluster.KillAsync, cluster.StartAgainAsync, ct);

    private Task FreezeAsync(Random random, CancellationToken ct) =>
        AwayAsync(random, (id, _) => SendAsync(id, Signal.Stop), (id, _) => SendAsync(id, Signal.Continue), ct);

    private Task CutAsync(Random random, CancellationToken ct) => AwayAsync(random, cluster.CutAsync, cluster.JoinAsync, ct);

    private async Task AwayAsync(
        Random random,
        Func<int, CancellationToken, Task> goes,
        Func<int, CancellationToken, Task> comesBack,
        CancellationToken ct
    )
    {
        var topic = bed.DataTopics[random.Next(bed.DataTopics.Count)];
        var partition = random.Next(TestKafka.Partitions);
        var leader = await cluster.LeaderAsync(topic, partition, ct);
        await goes(leader, ct);
        await Eventually.True(
            $"another than {leader} leads",
            async () => await cluster.LeaderAsync(topic, partition, ct) is var now && now != leader && now >= 0,
            timeout: Patience,
            ct: ct
        );
        await OdooGoesOnAsync(ct);
        await comesBack(leader, ct);
        // With another one away before it has caught up, nothing could be written.
        await cluster.InSyncAsync(Patience, ct);
    }

    private Task SendAsync(int id, Signal signal)
    {
        cluster.Send(id, signal);
        return Task.CompletedTask;
    }

    private async Task OdooGoesOnAsync(CancellationToken ct)
    {
        var before = await bed.Bed.Source.ScalarAsync<string>("SELECT pg_current_wal_lsn()::text", ct);
        await Eventually.True(
            "Odoo goes on",
            () => bed.Bed.Source.ScalarAsync<bool>($"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '{before}') > {BytesOfWal}", ct),
            ct: ct
        );
    }

    /// <summary>
    /// Rows are deleted in a transaction that no slot sees: it began while the old one was there, and ends before the new one has begun.
    /// </summary>
    private async Task LoseSlotAsync(CancellationToken ct)
    {
        // Rows are deleted from a table, which may be something else at the moment.
        await moves.MendAsync();
        var generation = await bed.Bed.Engine.ScalarAsync<int>("SELECT generation FROM cdc.source", ct);
        await using var connection = await bed.Bed.Source.DataSource.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var delete = new NpgsqlCommand(
            "DELETE FROM loyalty_point_history WHERE id IN (SELECT id FROM loyalty_point_history ORDER BY id LIMIT 25 FOR UPDATE SKIP LOCKED)",
            connection,
            transaction
        );
        await delete.ExecuteNonQueryAsync(ct);
        await Eventually.True("the slot is dropped", () => TryDropAsync(ct), timeout: Patience, ct: ct);
        await transaction.CommitAsync(ct);
        await Eventually.True(
            "everything is read again",
            () => bed.Bed.Engine.ScalarAsync<bool>($"SELECT generation > {generation} AND state = 'streaming' FROM cdc.source", ct),
            timeout: Patience,
            ct: ct
        );
        await Eventually.True(
            "every table is whole",
            () => bed.Bed.Engine.ScalarAsync<bool>("SELECT NOT EXISTS (SELECT FROM cdc.tables WHERE state = 'loading')", ct),
            timeout: Patience,
            ct: ct
        );
    }

    private async Task<bool> TryDropAsync(CancellationToken ct)
    {
        try
        {
            await bed.Bed.Source.ExecuteAsync(
                $"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{Slot}' AND active",
                ct
            );
            await bed.Bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{Slot}')", ct);
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse)
        {
            return false;
        }
    }
}
