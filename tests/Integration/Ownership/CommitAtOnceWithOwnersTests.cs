using Cdc.Apply.Rows;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary>A few rows travel with their checkpoint where rows may have owners too, as long as the engine is none.</summary>
public sealed class CommitAtOnceWithOwnersTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_are_committed_at_once_until_the_engine_owns_one_also_where_nobody_has_said_so_yet()
    {
        await using var engine = await OwnedEntities.CreateEngineAsync(servers, Ct);
        await OwnedEntities.CardsAsync(engine, 3, null, Ct);
        await using var connection = await engine.DataSource.OpenConnectionAsync(Ct);
        var writer = new BatchWriter(OwnedEntities.All, [], connection);
        Assert.True(await TryAsync(writer));

        await engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id = 2", Ct);
        Assert.Equal(PostgresErrorCodes.DivisionByZero, (await Assert.ThrowsAsync<PostgresException>(() => TryAsync(writer))).SqlState);
        await writer.BeginAsync(Ct);
        await writer.Transaction.RollbackAsync(Ct);
        Assert.False(await TryAsync(writer));
    }

    [Fact]
    public async Task Whoever_changes_an_owner_waits_for_rows_that_are_committed_at_once()
    {
        await using var engine = await OwnedEntities.CreateEngineAsync(servers, Ct);
        await OwnedEntities.CardsAsync(engine, 3, null, Ct);
        await using var connection = await engine.DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        Assert.True(await TryAsync(new BatchWriter(OwnedEntities.All, [], connection)));

        var waits = await Assert.ThrowsAsync<PostgresException>(() =>
            engine.ExecuteAsync("SET lock_timeout = '50ms'; UPDATE loyalty_cards SET owner = 'engine' WHERE id = 2", Ct)
        );
        Assert.Equal(PostgresErrorCodes.LockNotAvailable, waits.SqlState);
        await transaction.CommitAsync(Ct);
        await engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id = 2", Ct);
    }

    private static async Task<bool> TryAsync(BatchWriter writer)
    {
        var nothing = new BatchFolder(OwnedEntities.All);
        await using var together = new NpgsqlBatch(writer.Connection);
        if (!writer.TryAddTo(together, nothing, nothing.SortedKeys()))
            return false;
        await together.ExecuteNonQueryAsync(Ct);
        return true;
    }
}
