using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>Databases that are not in UTF-8: what can be carried is, and one row that cannot stops no other.</summary>
public sealed class EncodingTests(TestServers servers)
{
    [Theory]
    [InlineData(null, "LATIN1")]
    [InlineData(null, "SQL_ASCII")]
    [InlineData("LATIN1", null)]
    [InlineData("LATIN9", "SQL_ASCII")]
    [InlineData("SQL_ASCII", null)]
    [InlineData("WIN1252", "LATIN1")]
    public async Task Texts_are_the_same_on_both_sides_and_a_comparison_sees_it(string? source, string? engine)
    {
        await using var scene = await CreateAsync(source, engine);
        await scene.Source.ExecuteAsync("UPDATE loyalty_card SET code = 'Müller-' || id WHERE id <= 10", Scene.Ct);
        var run = await scene.FollowingAsync();
        await scene.Source.ExecuteAsync(
            "UPDATE loyalty_card SET code = 'Größe-' || id WHERE id BETWEEN 5 AND 20; UPDATE loyalty_program SET name = 'Café'",
            Scene.Ct
        );
        await scene.CaughtUpAsync(run);
        var output = await scene.CommandAsync(0, "check");
        Assert.Equal(source is not null, output.Contains("source-encoding", StringComparison.Ordinal));
        Assert.Equal(engine is not null, output.Contains("engine-encoding", StringComparison.Ordinal));
        await scene.CommandAsync(0, "reconcile", "--full");
        await scene.EndsEqualAsync(run);
    }

    [Theory]
    [InlineData("LATIN1", "Gold ★")]
    [InlineData("LATIN1", "Gold 𝄞 für alle")]
    [InlineData("WIN1251", "Grüße")]
    public async Task A_character_that_the_engine_lacks_puts_its_row_into_quarantine_until_it_is_repaired(string encoding, string name)
    {
        await using var scene = await CreateAsync(null, encoding);
        var run = await scene.FollowingAsync();
        await scene.Source.ExecuteAsync(
            $"UPDATE loyalty_program SET name = '{name}'; UPDATE loyalty_card SET code = '{name}' WHERE id = 7; UPDATE loyalty_card SET points = 500 WHERE id = 9",
            Scene.Ct
        );
        await scene.CaughtUpAsync(run);
        Assert.Equal(
            ["card|7|22P05", "program|1|22P05"],
            await scene.Engine.RowsAsync("SELECT entity, key, reason FROM cdc.quarantine ORDER BY 1", Scene.Ct)
        );
        Assert.Equal(500m, await scene.Engine.ScalarAsync<decimal>("SELECT points FROM loyalty_cards WHERE id = 9", Scene.Ct));
        Assert.Contains("encoding", await scene.CommandAsync(0, "quarantine", "show", "card", "7"), StringComparison.Ordinal);
        // Read again from Odoo, and refused again.
        await scene.CommandAsync(0, "quarantine", "retry", "--all");
        await scene.CommandAsync(11, "reconcile", "--full");
        await scene.Source.ExecuteAsync(
            "UPDATE loyalty_program SET name = 'Gold'; UPDATE loyalty_card SET code = 'seven' WHERE id = 7",
            Scene.Ct
        );
        await scene.CaughtUpAsync(run);
        Assert.Equal(0L, await scene.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.quarantine", Scene.Ct));
        await scene.EndsEqualAsync(run);
    }

    [Theory]
    [InlineData("SQL_ASCII")]
    [InlineData("WIN1252")]
    public async Task A_row_that_a_rule_refuses_is_explained_whatever_its_texts_are(string engine)
    {
        await using var scene = await CreateAsync(null, engine);
        var run = await scene.FollowingAsync();
        await scene.Source.ExecuteAsync("UPDATE loyalty_card SET points = -1, code = 'Gold 𝄞 ★ \\ ü \u0001' WHERE id = 7", Scene.Ct);
        await scene.CaughtUpAsync(run);
        Assert.Equal(["card|7|points-negative"], await scene.Engine.RowsAsync("SELECT entity, key, reason FROM cdc.quarantine", Scene.Ct));
        Assert.Contains("Gold", await scene.CommandAsync(0, "quarantine", "show", "card", "7"), StringComparison.Ordinal);
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Scene.Ct));
    }

    [Fact]
    public async Task What_differs_is_written_down_by_an_engine_that_lacks_the_character()
    {
        await using var scene = await CreateAsync(null, "LATIN1");
        var run = await scene.FollowingAsync();
        await scene.Source.ExecuteAsync("UPDATE loyalty_card SET code = 'seven ★' WHERE id = 7", Scene.Ct);
        await scene.CaughtUpAsync(run);
        // Nothing is in quarantine any more: the comparison has to tell.
        await scene.CommandAsync(0, "quarantine", "discard", "--all", "--yes");
        await scene.CommandAsync(10, "reconcile", "--full");
        Assert.Equal(
            @"SEVEN \u2605",
            await scene.Engine.ScalarAsync<string>("SELECT odoo_value FROM cdc.drift WHERE key = 7 AND field = 'code'", Scene.Ct)
        );
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Scene.Ct));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("SQL_ASCII")]
    [InlineData("LATIN1")]
    public async Task A_text_that_is_not_UTF_8_puts_its_row_into_quarantine_in_the_stream_and_in_a_load(string? engine)
    {
        await using var scene = await CreateAsync("SQL_ASCII", engine);
        await BytesAsync(scene, "UPDATE loyalty_card SET code = E'M\\374ller' WHERE id = 3");
        var run = await scene.FollowingAsync();
        await BytesAsync(
            scene,
            "UPDATE loyalty_card SET code = E'M\\303\\050' WHERE id = 4; UPDATE loyalty_card SET points = 500 WHERE id = 9"
        );
        await scene.CaughtUpAsync(run);
        Assert.Equal(
            ["card|3|22021", "card|4|22021"],
            await scene.Engine.RowsAsync("SELECT entity, key, reason FROM cdc.quarantine ORDER BY 2", Scene.Ct)
        );
        Assert.Equal(500m, await scene.Engine.ScalarAsync<decimal>("SELECT points FROM loyalty_cards WHERE id = 9", Scene.Ct));
        await scene.CommandAsync(0, "quarantine", "show", "card", "3");
        await scene.CommandAsync(11, "reconcile", "--full");
        Assert.DoesNotContain("rying again", run.Tail, StringComparison.Ordinal);
        await BytesAsync(scene, "UPDATE loyalty_card SET code = 'card ' || id WHERE id IN (3, 4)");
        await scene.CaughtUpAsync(run);
        Assert.Equal(0L, await scene.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.quarantine", Scene.Ct));
        await scene.EndsEqualAsync(run);
    }

    /// <summary>As a program in another encoding does it: the server takes what it is given.</summary>
    private static async Task BytesAsync(Scene scene, string sql)
    {
        await using var connection = new NpgsqlConnection(scene.Source.ConnectionString + ";Pooling=false;Client Encoding=SQL_ASCII");
        await connection.OpenAsync(Scene.Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Scene.Ct);
    }

    private async Task<Scene> CreateAsync(string? source, string? engine) =>
        await Scene.WithShopAsync(
            await PipelineBed.CreateAsync(
                await TestDatabase.CreateAsync("encoded", await servers.Source.ConnectionStringAsync(), Scene.Ct, encoding: source),
                await TestDatabase.CreateAsync("encoded_engine", await servers.Engine.ConnectionStringAsync(), Scene.Ct, encoding: engine),
                Scene.Ct
            )
        );
}
