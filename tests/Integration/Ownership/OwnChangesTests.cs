using System.Text;
using Cdc.Core.Progress;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary>What the engine changes of its own accord is refused, or gets a number and is kept, in the writer's transaction.</summary>
public sealed class OwnChangesTests(TestServers servers) : IAsyncLifetime
{
    private const string Refused = "OC001";
    private const string Impossible = "OC002";
    private const string Log = "SELECT entity, id, card, action, before, after, status FROM cdc.sync_log ORDER BY card, number";

    private TestDatabase _engine = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _engine = await OwnedEntities.CreateEngineAsync(servers, Ct);
        await OwnedEntities.CardsAsync(_engine, 3, null, Ct);
        await _engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id = 2", Ct);
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Theory]
    [InlineData("UPDATE loyalty_cards SET points = points + 1 WHERE id = 1", "the update of card 1 is refused: card 1 belongs to odoo")]
    [InlineData("UPDATE loyalty_cards SET points = points + 1", "card 1 belongs to odoo")]
    [InlineData("DELETE FROM loyalty_cards WHERE id = 1", "the delete of card 1 is refused: card 1 belongs to odoo")]
    [InlineData(
        "INSERT INTO point_history (loyalty_card_id, points_amount) VALUES (3, 5)",
        "the insert of history 4294967296 is refused: card 3 belongs to odoo"
    )]
    [InlineData("INSERT INTO point_moves (loyalty_card_id) VALUES (77)", "card 77 is not there")]
    [InlineData("UPDATE loyalty_cards SET owner = NULL, points = 1 WHERE id = 2", "card 2 belongs to odoo")]
    public async Task What_the_engine_does_not_own_it_may_not_change(string sql, string said)
    {
        await using var connection = await _engine.DataSource.OpenConnectionAsync(Ct);
        await ExecuteAsync(connection, "ALTER TABLE point_moves DROP CONSTRAINT point_moves_loyalty_card_id_fkey");
        var refused = await RefusedAsync(sql);
        Assert.Equal(Refused, refused.SqlState);
        Assert.Contains(said, refused.MessageText, StringComparison.Ordinal);
        Assert.Contains(
            said.Contains("not there", StringComparison.Ordinal) ? "Write the card first" : "cdc owner set --id",
            refused.Hint,
            StringComparison.Ordinal
        );
        Assert.Empty(await _engine.RowsAsync(Log, Ct));
        Assert.Equal(
            ["1|100.00||", "2|100.00||", "3|100.00||"],
            await _engine.RowsAsync("SELECT id, points, own_number, base FROM loyalty_cards ORDER BY id", Ct)
        );
    }

    [Theory]
    [InlineData(
        "INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (9, 9, 1, 'NINE', 0)",
        "ids below 4294967296"
    )]
    [InlineData("INSERT INTO point_history (id, odoo_history_id, loyalty_card_id) VALUES (9, 9, 2)", "ids below 4294967296")]
    [InlineData("DELETE FROM loyalty_cards WHERE id = 2", "card 2 is in Odoo")]
    [InlineData("TRUNCATE point_history", "TRUNCATE of public.point_history is refused")]
    [InlineData("INSERT INTO point_moves (loyalty_card_id) VALUES (2); UPDATE point_moves SET id = id + 1", "An id never changes")]
    [InlineData(
        "UPDATE loyalty_cards SET owner = 'engine' WHERE id = 3; INSERT INTO point_moves (loyalty_card_id) VALUES (2); UPDATE point_moves SET loyalty_card_id = 3",
        "may not go from card 2 to 3"
    )]
    public async Task What_could_not_be_brought_to_Odoo_is_refused(string sql, string said)
    {
        var refused = await RefusedAsync(sql);
        Assert.Equal(Impossible, refused.SqlState);
        Assert.Contains(said, refused.MessageText + refused.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_own_change_is_kept_with_what_was_and_what_is()
    {
        await _engine.ExecuteAsync("UPDATE loyalty_cards SET points = points - 30, partner_id = NULL WHERE id = 2", Ct);
        await _engine.ExecuteAsync("UPDATE loyalty_cards SET points = points - 1 WHERE id = 2", Ct);
        Assert.Equal(
            [
                """card|2|2|update|{"points": 100.00, "partner_id": 2}|{"points": 70.00, "partner_id": null}|pending""",
                """card|2|2|update|{"points": 70.00}|{"points": 69.00}|pending""",
            ],
            await _engine.RowsAsync(Log, Ct)
        );
        // What Odoo has is as it was before the first of them.
        Assert.Equal(
            ["""{"points": 100.00, "partner_id": 2}"""],
            await _engine.RowsAsync("SELECT base FROM loyalty_cards WHERE id = 2", Ct)
        );
        Assert.Equal(
            ["|t", "t|t"],
            await _engine.RowsAsync(
                "SELECT predecessor = lag(number) OVER (ORDER BY number), number > (extract(epoch FROM now()) - 3600) * 1000000 FROM cdc.sync_log ORDER BY number",
                Ct
            )
        );
        Assert.Equal(
            ["card|2|update|pending|"],
            await _engine.RowsAsync("SELECT entity_type, entity_id, action, status, error_message FROM sync_log LIMIT 1", Ct)
        );
        await _engine.ExecuteAsync("UPDATE loyalty_cards SET points = 100, partner_id = 2 WHERE id = 2", Ct);
        Assert.Equal([""], await _engine.RowsAsync("SELECT base FROM loyalty_cards WHERE id = 2", Ct));
    }

    [Fact]
    public async Task What_is_born_in_the_engine_is_its_own_and_its_card_gives_the_order()
    {
        await _engine.ExecuteAsync(
            """
            INSERT INTO loyalty_cards (program_id, code, points) VALUES (1, 'BORN', 5);
            INSERT INTO point_history (loyalty_card_id, points_amount, origin) SELECT id, 5, 'pos' FROM loyalty_cards WHERE code = 'BORN';
            UPDATE point_history SET origin = 'till';
            UPDATE loyalty_cards SET points = points + 1 WHERE code = 'BORN';
            DELETE FROM point_history;
            DELETE FROM loyalty_cards WHERE code = 'BORN';
            """,
            Ct
        );
        Assert.Equal(
            [
                $"card|{OwnedEntities.First}|create|",
                $"history|{OwnedEntities.First}|create|t",
                $"history|{OwnedEntities.First}|update|t",
                $"card|{OwnedEntities.First}|update|t",
                $"history|{OwnedEntities.First}|delete|t",
                $"card|{OwnedEntities.First}|delete|t",
            ],
            await _engine.RowsAsync(
                $"SELECT entity, id, action, predecessor = lag(number) OVER (ORDER BY number) FROM cdc.sync_log WHERE card = {OwnedEntities.First} ORDER BY number",
                Ct
            )
        );
    }

    [Fact]
    public async Task Rows_of_a_card_have_a_base_of_their_own()
    {
        await ReplicaAsync(
            "INSERT INTO point_history (id, odoo_history_id, loyalty_card_id, points_amount, origin, transaction_time) VALUES (5, 5, 2, 1, 'a', '2030-01-01 00:00:00+00')"
        );
        await _engine.ExecuteAsync("SET timezone = 'Asia/Jakarta'; UPDATE point_history SET origin = 'b', transaction_time = now()", Ct);
        await _engine.ExecuteAsync("UPDATE point_history SET transaction_time = '2030-01-01 07:00:00+07'", Ct);
        Assert.Equal(["""b|{"origin": "a"}"""], await _engine.RowsAsync("SELECT origin, base FROM point_history", Ct));
    }

    [Fact]
    public async Task Numbers_rise_although_the_clock_goes_back()
    {
        await ClockAsync("5000");
        await ChangeAsync();
        await ClockAsync("4000");
        await ChangeAsync();
        await ClockAsync("9000");
        await ChangeAsync();
        // What Odoo has seen lies above all that this engine remembers: it was restored.
        await _engine.ExecuteAsync("UPDATE loyalty_cards SET odoo_number = 20000 WHERE id = 2", Ct);
        await ChangeAsync();
        Assert.Equal(
            ["5000|", "5001|5000", "9000|5001", "20001|20000"],
            await _engine.RowsAsync("SELECT number, predecessor FROM cdc.sync_log ORDER BY number", Ct)
        );
    }

    [Fact]
    public async Task Writers_of_one_card_wait_for_each_other_and_no_number_has_two_successors()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(writer =>
                    Task.Run(
                        async () =>
                        {
                            for (var i = 0; i < 25; i++)
                                await _engine.ExecuteAsync(
                                    writer % 2 == 0
                                        ? "UPDATE loyalty_cards SET points = points + 1 WHERE id = 2"
                                        : "INSERT INTO point_history (loyalty_card_id, points_amount) VALUES (2, 1)",
                                    Ct
                                );
                        },
                        Ct
                    )
                )
        );
        Assert.Equal(
            ["200|200|1"],
            await _engine.RowsAsync(
                """
                SELECT count(*), count(DISTINCT number), count(*) FILTER (WHERE predecessor IS DISTINCT FROM before) FROM (
                    SELECT number, predecessor, coalesce(lag(number) OVER (ORDER BY number), 0) AS before FROM cdc.sync_log) l
                """,
                Ct
            )
        );
        Assert.Equal(["200.00"], await _engine.RowsAsync("SELECT points FROM loyalty_cards WHERE id = 2", Ct));
    }

    [Fact]
    public async Task A_transaction_that_is_rolled_back_leaves_nothing_and_tells_nobody()
    {
        await using var listener = await ListenAsync();
        var heard = new List<string>();
        listener.Notification += (_, e) => heard.Add($"{e.Channel} {e.Payload}");
        await _engine.ExecuteAsync(
            "BEGIN; UPDATE loyalty_cards SET points = 1 WHERE id = 2; INSERT INTO loyalty_cards (program_id, code, points) VALUES (1, 'X', 0); ROLLBACK",
            Ct
        );
        Assert.Empty(await _engine.RowsAsync(Log, Ct));
        Assert.Equal(
            ["2|100.00||"],
            await _engine.RowsAsync("SELECT id, points, own_number, base FROM loyalty_cards WHERE id = 2 OR id > 3", Ct)
        );
        await _engine.ExecuteAsync(
            "BEGIN; UPDATE loyalty_cards SET points = 1 WHERE id = 2; UPDATE loyalty_cards SET points = 2 WHERE id = 2; COMMIT",
            Ct
        );
        while (heard.Count < 2)
            await listener.WaitAsync(Ct);
        Assert.Equal([$"cdc_card 2:{ChangeNotice.Hash(Encoding.UTF8.GetBytes("C2")):x}", "cdc_own_changes "], heard.Order());
    }

    [Fact]
    public async Task A_hundred_thousand_own_changes_in_one_transaction_are_all_kept()
    {
        await OwnedEntities.CardsAsync(_engine, 0, null, Ct);
        await ReplicaAsync(
            "INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points, owner) SELECT i, i, 1, 'M' || i, 1, 'engine' FROM generate_series(1001, 51000) i"
        );
        await _engine.ExecuteAsync(
            """
            BEGIN;
            UPDATE loyalty_cards SET points = points + 1 WHERE id > 1000;
            INSERT INTO point_history (loyalty_card_id, points_amount) SELECT id, 1 FROM loyalty_cards WHERE id > 1000;
            COMMIT
            """,
            Ct
        );
        Assert.Equal(
            ["100000|50000|0"],
            await _engine.RowsAsync(
                "SELECT count(*), count(DISTINCT card), count(*) FILTER (WHERE entity = 'history' AND predecessor IS NULL) FROM cdc.sync_log",
                Ct
            )
        );
    }

    [Fact]
    public async Task A_role_that_may_not_write_the_rows_cannot_and_the_setting_of_those_who_apply_gives_it_nothing()
    {
        var role = $"{_engine.Name}_app";
        await _engine.ExecuteAsync(
            $"CREATE ROLE {role} LOGIN; GRANT SELECT ON loyalty_cards TO {role}; GRANT SELECT, INSERT ON point_history TO {role}; GRANT USAGE ON SEQUENCE point_history_id_seq TO {role}",
            Ct
        );
        try
        {
            Assert.Equal(
                PostgresErrorCodes.InsufficientPrivilege,
                (await RefusedAsync($"SET ROLE {role}; UPDATE loyalty_cards SET points = 1 WHERE id = 2")).SqlState
            );
            var applying = $"SET ROLE {role}; SET cdc.applying = 'on'; ";
            Assert.Equal(Refused, (await RefusedAsync(applying + "INSERT INTO point_history (loyalty_card_id) VALUES (1)")).SqlState);
            // It needs no right on the card, nor on the log.
            await _engine.ExecuteAsync(
                applying + "INSERT INTO point_history (loyalty_card_id) VALUES (2); RESET ROLE; RESET cdc.applying",
                Ct
            );
            Assert.Equal(["create"], await _engine.RowsAsync("SELECT action FROM cdc.sync_log", Ct));
        }
        finally
        {
            await _engine.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}", Ct);
        }
    }

    [Fact]
    public async Task Columns_that_are_nobodys_are_free()
    {
        await _engine.ExecuteAsync("UPDATE loyalty_cards SET synced_to_odoo = true", Ct);
        Assert.Empty(await _engine.RowsAsync(Log, Ct));
    }

    private Task ChangeAsync() => _engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 1 WHERE id = 2", Ct);

    private Task ClockAsync(string micros) =>
        _engine.ExecuteAsync(
            $"CREATE OR REPLACE FUNCTION cdc.clock_micros() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT {micros}::bigint'",
            Ct
        );

    private Task ReplicaAsync(string sql) =>
        _engine.ExecuteAsync($"BEGIN; SET LOCAL session_replication_role = replica; {sql}; COMMIT", Ct);

    private async Task<PostgresException> RefusedAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_engine.ConnectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(Ct);
        return await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connection, sql));
    }

    private async Task<NpgsqlConnection> ListenAsync()
    {
        var listener = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_engine.ConnectionString) { Pooling = false }.ConnectionString
        );
        await listener.OpenAsync(Ct);
        await ExecuteAsync(listener, "LISTEN cdc_own_changes; LISTEN cdc_card");
        return listener;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
