using Cdc.Capture.Source;
using Cdc.Core.Failures;
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

    [Fact]
    public async Task A_connection_that_leads_to_another_database_than_the_session_follows_is_refused()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("capture", ct: Ct);
        var options = StreamTestBed.OptionsOf(database);
        await using var first = await SourceConnection.OpenAsync(options, Ct);
        var (system, oid) = await SourceConnection.IdentifyAsync(first, Ct);
        var identity = new SourceIdentity(system, 1, database.Name, oid);
        await using (await SourceConnection.OpenAsync(options with { Identity = identity }, Ct)) { }
        foreach (var other in (SourceIdentity[])[identity with { DatabaseOid = oid + 1 }, identity with { SystemIdentifier = "1" }])
        {
            var refused = await Assert.ThrowsAsync<CdcException>(() => SourceConnection.OpenAsync(options with { Identity = other }, Ct));
            Assert.Equal(FailureKind.Unavailable, refused.Kind);
        }
    }

    private static async Task<int> BackendAsync(TestDatabase database)
    {
        await using var connection = await SourceConnection.OpenAsync(StreamTestBed.OptionsOf(database), Ct);
        return await connection.Statement("SELECT pg_backend_pid()").ScalarAsync<int>(Ct);
    }
}
