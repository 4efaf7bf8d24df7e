using System.Text;
using Cdc.Core.Entities;
using Cdc.Engine.Migrations;
using Cdc.Engine.Tables;
using Cdc.Tests.Integration.Pipeline.Histories;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Engine;

/// <summary>Which keys the engine has met, where they are known by a hash.</summary>
public sealed class SourceKeyTableTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static EntityDeclaration Voucher => HashedTables.Entities.Find("voucher")!;

    [Fact]
    public async Task A_number_is_one_keys_until_all_is_read_again_and_another_one_is_met()
    {
        await using var engine = await CreateAsync();
        await using var connection = await engine.DataSource.OpenConnectionAsync(Ct);
        Assert.Null(await RecordAsync(connection, (7, "a"), (8, "b")));
        Assert.Null(await RecordAsync(connection, (7, "a")));
        Assert.Equal(8, await RecordAsync(connection, (7, "a"), (8, "other")));
        await engine.ExecuteAsync("UPDATE cdc.source_keys SET stale = true", Ct);
        Assert.Null(await RecordAsync(connection, (8, "other")));
        Assert.Equal(8, await RecordAsync(connection, (8, "b")));
    }

    /// <summary>A reading leaves out a row that was streamed, and that its snapshot does not see: its key is met by nothing, and is there.</summary>
    [Fact]
    public async Task What_is_there_when_all_was_read_stays_though_it_was_not_met()
    {
        await using var engine = await CreateAsync();
        await engine.ExecuteAsync(
            """
            INSERT INTO cdc.source_keys SELECT 'voucher', n, 'k', n < 7 FROM generate_series(1, 7) n;
            INSERT INTO cdc.source_keys VALUES ('token', 1, 'k', true);
            INSERT INTO vouchers (id, code, source_generation, source_lsn, source_ordinal, source_commit_at) VALUES (2, 'k', 1, '0/1', 0, now());
            INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, commit_at) VALUES ('voucher', 3, 1, '0/1', 0, 'r', '', now());
            INSERT INTO cdc.rereads (entity, key, generation, lsn, ordinal) VALUES ('voucher', 4, 1, '0/1', 0);
            INSERT INTO cdc.owed_deletes (entity, key) VALUES ('voucher', 5);
            """,
            Ct
        );
        await using var connection = await engine.DataSource.OpenConnectionAsync(Ct);
        await SourceKeyTable.SettleAsync(connection, Voucher, Ct);
        Assert.Equal(
            ["token|1|t", "voucher|2|f", "voucher|3|f", "voucher|4|f", "voucher|5|f", "voucher|7|f"],
            await engine.RowsAsync("SELECT entity, key, stale FROM cdc.source_keys ORDER BY 1, 2", Ct)
        );
    }

    private async Task<TestDatabase> CreateAsync()
    {
        var engine = await servers.CreateEngineAsync("source_keys", Ct);
        await engine.ExecuteAsync(DeclaredTable.Plan(Voucher), Ct);
        return engine;
    }

    private static Task<long?> RecordAsync(NpgsqlConnection connection, params (long Number, string Text)[] keys) =>
        SourceKeyTable.RecordAsync(
            connection,
            Voucher.Name,
            [.. keys.Select(k => k.Number)],
            [.. keys.Select(k => Encoding.UTF8.GetBytes(k.Text))],
            Ct
        );
}
