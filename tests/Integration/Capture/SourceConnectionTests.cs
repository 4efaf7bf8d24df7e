using Cdc.Capture.Source;
using Cdc.Core.Postgres;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

public sealed class SourceConnectionTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_is_always_a_new_one_and_never_one_that_a_restarted_server_has_forgotten()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("capture", ct: Ct);
        Assert.NotEqual(await BackendAsync(database), await BackendAsync(database));
    }

    private static async Task<int> BackendAsync(TestDatabase database)
    {
        await using var connection = await SourceConnection.OpenAsync(StreamTestBed.OptionsOf(database), Ct);
        return await connection.Statement("SELECT pg_backend_pid()").ScalarAsync<int>(Ct);
    }
}
