using Cdc.Apply.Rows;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Apply;

/// <summary>Between flushes a staging table is empty, however the last one ended; and it does not grow.</summary>
public sealed class StageTableTests(TestServers servers)
{
    private const string Name = "stage_of_a_test";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_flush_put_in_is_gone_with_it_committed_or_undone()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("stage", ct: Ct);
        await using var connection = await database.DataSource.OpenConnectionAsync(Ct);
        var stage = await CreateAsync(connection);
        await FlushAsync(connection, stage, 3, "COMMIT");
        Assert.Equal(0, await ScalarAsync(connection, $"SELECT count(*) FROM {Name}"));
        await FlushAsync(connection, stage, 3, "ROLLBACK");
        Assert.Equal(0, await ScalarAsync(connection, $"SELECT count(*) FROM {Name}"));
        await ExecuteAsync(connection, "BEGIN; SAVEPOINT flush");
        await ExecuteAsync(connection, $"INSERT INTO {Name} SELECT generate_series(1, 3); ROLLBACK TO SAVEPOINT flush");
        Assert.Equal(0, await ScalarAsync(connection, $"SELECT count(*) FROM {Name}"));
        await ExecuteAsync(connection, "COMMIT");
    }

    [Theory]
    [InlineData(2000, 1)]
    [InlineData(1000, 20)]
    public async Task It_does_not_grow_by_a_large_flush_nor_by_many_small_ones(int rows, int flushes)
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("stage", ct: Ct);
        await using var connection = await database.DataSource.OpenConnectionAsync(Ct);
        var stage = await CreateAsync(connection);
        for (var i = 0; i < flushes; i++)
            await FlushAsync(connection, stage, rows, "COMMIT");
        Assert.Equal(0, await ScalarAsync(connection, $"SELECT pg_relation_size('{Name}')"));
    }

    private static async Task<StageTable> CreateAsync(NpgsqlConnection connection)
    {
        var stage = new StageTable(Name, $"CREATE TEMP TABLE {Name} (key bigint)", connection);
        await stage.CreateAsync(Ct);
        return stage;
    }

    private static async Task FlushAsync(NpgsqlConnection connection, StageTable stage, int rows, string end)
    {
        await ExecuteAsync(connection, $"BEGIN; INSERT INTO {Name} SELECT generate_series(1, {rows})");
        await stage.EmptyAsync(rows, Ct);
        await ExecuteAsync(connection, end);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task<long> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }
}
