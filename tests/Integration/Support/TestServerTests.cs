using Cdc.Tests.Support.Postgres;
using Npgsql;
using Npgsql.Replication;
using Npgsql.Replication.PgOutput;
using Xunit;

namespace Cdc.Tests.Integration.Support;

public sealed class TestServerTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_test_database_goes_with_its_slots_even_while_they_are_read()
    {
        var database = await servers.Source.CreateDatabaseAsync("goes", ct: Ct);
        var slotName = $"{database.Name}_slot";
        await database.ExecuteAsync("CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t", Ct);
        await using var reader = new LogicalReplicationConnection(database.ConnectionString);
        await reader.Open(Ct);
        var slot = await reader.CreatePgOutputReplicationSlot(slotName, cancellationToken: Ct);
        await using var messages = reader
            .StartReplication(slot, new PgOutputReplicationOptions("p", PgOutputProtocolVersion.V1), Ct)
            .GetAsyncEnumerator(Ct);
        await database.ExecuteAsync("INSERT INTO t VALUES (1)", Ct);
        Assert.True(await messages.MoveNextAsync());

        await database.DisposeAsync();

        await using var admin = NpgsqlDataSource.Create(await servers.Source.ConnectionStringAsync());
        await using var left = admin.CreateCommand(
            $"SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{slotName}') + (SELECT count(*) FROM pg_database WHERE datname = '{database.Name}')"
        );
        Assert.Equal(0L, await left.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public async Task Databases_of_one_prefix_are_different_ones()
    {
        await using var one = await servers.Engine.CreateDatabaseAsync("same", ct: Ct);
        await using var other = await servers.Engine.CreateDatabaseAsync("same", ct: Ct);
        Assert.NotEqual(one.Name, other.Name);
    }
}
