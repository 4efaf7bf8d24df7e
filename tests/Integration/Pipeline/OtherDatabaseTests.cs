using Cdc.Core.Failures;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>Another database under the name of the one that was followed is not read.</summary>
public sealed class OtherDatabaseTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_copy_under_the_followed_name_is_a_gap_and_changes_nothing_in_the_engine()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.StopInProcessAsync();
        var (name, old) = (bed.Source.Name, bed.Source.Name + "_old");
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_point_history WHERE id > 10", Ct);
        await using var admin = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(bed.Source.ConnectionString) { Database = "postgres", Pooling = false }.ConnectionString
        );
        // Pooled connections are about to end.
        bed.Source.DataSource.Clear();
        try
        {
            await AdminAsync(admin, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
            await AdminAsync(admin, $"ALTER DATABASE \"{name}\" RENAME TO \"{old}\"");
            await AdminAsync(admin, $"CREATE DATABASE \"{name}\" TEMPLATE \"{old}\"");
            bed.SourceOptions = bed.SourceOptions with { AcceptGaps = false };
            var ended = await Assert.ThrowsAnyAsync<DeclaredGapException>(() => bed.StartInProcess().Completion);
            Assert.Equal(GapKinds.SourceChanged, ended.GapKind);
            Assert.Contains("is not the one that the engine has followed", ended.Message, StringComparison.Ordinal);
            Assert.Equal(50L, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM point_history", Ct));
            Assert.Equal(0L, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.chunks WHERE state = 'pending'", Ct));
        }
        finally
        {
            await AdminAsync(admin, $"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '{old}'");
            await AdminAsync(admin, $"DROP DATABASE IF EXISTS \"{old}\" WITH (FORCE)");
        }
    }

    private static async Task AdminAsync(NpgsqlDataSource admin, string sql)
    {
        await using var command = admin.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
