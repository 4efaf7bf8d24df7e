using Cdc.Capture;
using Cdc.Capture.Source;
using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Tests.Support.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

public sealed class TimelineTests
{
    [Fact]
    public async Task After_a_promotion_the_server_says_where_it_left_the_old_timeline()
    {
        await using var cluster = await PgCluster.StartAsync(new PgClusterOptions { Name = "timeline", SharedBuffers = "16MB" }, Ct);
        var options = new SourceOptions { ConnectionString = cluster.ConnectionString("postgres") };
        var before = await IdentifyAsync(options);
        await cluster.StopAsync(ct: Ct);
        await File.WriteAllTextAsync(Path.Combine(cluster.DataDirectory, "standby.signal"), "", Ct);
        await cluster.StartAgainAsync(Ct);
        await using (var admin = NpgsqlDataSource.Create(options.ConnectionString))
        {
            Assert.True((bool)(await admin.CreateCommand("SELECT pg_promote()").ExecuteScalarAsync(Ct))!);
        }
        await using var source = await ReplicationSource.ConnectAsync(options, NullLogger.Instance, Ct);
        var after = await source.IdentifyAsync(Ct);

        Assert.Equal(before.Identity with { Timeline = 2 }, after.Identity);
        var switchPoint = await source.SwitchPointAsync(current: 2, followed: 1, Ct);
        Assert.True(before.FlushLsn <= switchPoint && switchPoint <= after.FlushLsn);
        Assert.Null(await source.SwitchPointAsync(current: 2, followed: 3, Ct));
        Assert.Null(await source.SwitchPointAsync(current: 1, followed: 1, Ct));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static async Task<IdentifiedSource> IdentifyAsync(SourceOptions options)
    {
        await using var source = await ReplicationSource.ConnectAsync(options, NullLogger.Instance, Ct);
        return await source.IdentifyAsync(Ct);
    }
}
