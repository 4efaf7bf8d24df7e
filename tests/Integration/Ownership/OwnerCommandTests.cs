using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary><c>cdc owner</c>: one transaction, on record, and nothing that Odoo lacks is left behind.</summary>
public sealed class OwnerCommandTests(TestServers servers)
{
    private const string Owners = "SELECT string_agg(id || ' ' || coalesce(owner, '-'), ', ' ORDER BY id) FROM loyalty_cards";
    private const string Changes =
        "SELECT string_agg(concat_ws(' ', key, from_owner, to_owner, evidence), ', ' ORDER BY change) FROM cdc.owner_changes";

    [Fact]
    public async Task A_card_is_handed_over_and_given_back_and_both_are_on_record()
    {
        await using var world = await OwnedEntities.CreateWorldAsync(servers);
        var set = await world.RunAsync("owner", "set", "C2", "engine", "--yes");
        Assert.True(set.ExitCode == 0, set.Error);
        Assert.Contains("1 cards belong to engine now", set.Out, StringComparison.Ordinal);
        Assert.Contains("This will happen", set.Error, StringComparison.Ordinal);
        Assert.Equal("1 -, 2 engine, 3 -", await world.EngineAsync<string>(Owners));
        Assert.True(await world.EngineAsync<bool>("SELECT engine_owns FROM cdc.owned_tables WHERE is_card"));
        Assert.Contains("Nothing to do", (await world.RunAsync("owner", "set", "C2", "engine", "--yes")).Error, StringComparison.Ordinal);
        Assert.Equal(0, (await world.RunAsync("owner", "set", "--id", "2", "odoo", "--yes")).ExitCode);
        Assert.Equal("2 odoo engine cdc owner set, 2 engine odoo cdc owner set", await world.EngineAsync<string>(Changes));
        Assert.False(await world.EngineAsync<bool>("SELECT engine_owns FROM cdc.owned_tables WHERE is_card"));
    }

    [Fact]
    public async Task All_cards_of_a_company_are_handed_over_at_once()
    {
        await using var world = await OwnedEntities.CreateWorldAsync(servers);
        Assert.Equal(0, (await world.RunAsync("owner", "set", "--company", "2", "engine", "--yes")).ExitCode);
        Assert.Equal("1 engine, 2 -, 3 engine", await world.EngineAsync<string>(Owners));
        Assert.Equal("1 odoo engine cdc owner set, 3 odoo engine cdc owner set", await world.EngineAsync<string>(Changes));
    }

    [Fact]
    public async Task What_is_not_in_Odoo_keeps_its_card_from_going_back()
    {
        await using var world = await OwnedEntities.CreateWorldAsync(servers);
        await world.EngineAsync("UPDATE loyalty_cards SET owner = 'engine'");
        await world.EngineAsync("UPDATE loyalty_cards SET points = points + 1 WHERE id = 2");
        var refused = await world.RunAsync("owner", "set", "C2", "odoo", "--yes");
        Assert.Equal((int)FailureKind.Refused, refused.ExitCode);
        Assert.Contains(
            "1 cards have what Odoo has not got yet (1 own changes pending), such as card 2",
            refused.Error,
            StringComparison.Ordinal
        );
        Assert.Equal((int)FailureKind.Refused, (await world.RunAsync("owner", "set", "--company", "1", "odoo", "--yes")).ExitCode);
        Assert.Equal("1 engine, 2 engine, 3 engine", await world.EngineAsync<string>(Owners));

        var shown = await world.RunAsync("owner", "show", "C2", "--json");
        var card = JsonDocument.Parse(shown.Out).RootElement.GetProperty("cards")[0];
        Assert.Equal(
            ("engine", 1, """{"points": 100.00}"""),
            (card.GetProperty("owner").GetString(), card.GetProperty("pending").GetInt32(), card.GetProperty("base").GetString())
        );
        Assert.Contains("C2", (await world.RunAsync("owner", "show", "--id", "2")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_writer_that_holds_the_card_is_not_waited_for_for_long()
    {
        await using var world = await OwnedEntities.CreateWorldAsync(servers);
        await world.EngineAsync("UPDATE loyalty_cards SET owner = 'engine'");
        await using var writer = new NpgsqlConnection(world.EngineConnection);
        await writer.OpenAsync(HostWorld.Ct);
        await using var transaction = await writer.BeginTransactionAsync(HostWorld.Ct);
        await using (var command = new NpgsqlCommand("UPDATE loyalty_cards SET points = points + 1 WHERE id = 1", writer))
            await command.ExecuteNonQueryAsync(HostWorld.Ct);
        var run = await world.RunAsync("owner", "set", "C1", "odoo", "--yes");
        Assert.Equal((int)FailureKind.Unavailable, run.ExitCode);
        Assert.Contains("nothing was changed", run.Error, StringComparison.Ordinal);
        await transaction.RollbackAsync(HostWorld.Ct);
        Assert.Equal(0, (await world.RunAsync("owner", "set", "C1", "odoo", "--yes")).ExitCode);
    }

    [Fact]
    public async Task Without_a_yes_and_with_nonsense_nothing_changes()
    {
        await using var world = await OwnedEntities.CreateWorldAsync(servers);
        Assert.Equal((int)FailureKind.Refused, (await world.RunAsync("owner", "set", "C2", "engine")).ExitCode);
        await world.EngineAsync(
            "UPDATE loyalty_cards SET code = 'C2' WHERE id = 3 AND set_config('session_replication_role', 'replica', true) IS NOT NULL"
        );
        foreach (
            var (words, said) in ((string[], string)[])
                [
                    (["C2", "engine"], "2 cards have the code C2: 2, 3"),
                    (["C2", "engines"], "'engines' owns no cards"),
                    (["C9", "engine"], "The engine has no card C9"),
                    (["--id", "C2", "engine"], "C2 is no id"),
                    (["engine"], "Name one card, or a company"),
                    (["C2", "engine", "--company", "1"], "Name one card, or a company"),
                ]
        )
        {
            var run = await world.RunAsync(["owner", "set", .. words, "--yes"]);
            Assert.Equal((int)FailureKind.Usage, run.ExitCode);
            Assert.Contains(said, run.Error, StringComparison.Ordinal);
        }
        Assert.Equal("1 -, 2 -, 3 -", await world.EngineAsync<string>(Owners));
    }

    [Fact]
    public async Task Where_nothing_flows_back_there_are_no_owners()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        var run = await world.RunAsync("owner", "show", "C1");
        Assert.Equal((int)FailureKind.Usage, run.ExitCode);
        Assert.Contains("Nothing of the declaration flows back to Odoo", run.Error, StringComparison.Ordinal);
        Assert.Equal(0L, await world.EngineAsync<long>("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'cdc\\_own%'"));
    }
}
