using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary><c>cdc conflicts</c>: a person says which value counts, once, and what cannot be taken is refused with what to do.</summary>
public sealed class ConflictsCommandTests(TestServers servers)
{
    private const string Open =
        "SELECT coalesce(string_agg(conflict::text, ' ' ORDER BY conflict), '') FROM cdc.conflicts WHERE settled_at IS NULL";

    [Fact]
    public async Task Odoo_s_value_that_is_accepted_is_a_change_of_the_engine_s_own()
    {
        await using var world = await WorldAsync();
        var older = await world.RunAsync("conflicts", "accept", "1", "--yes");
        Assert.Equal((int)FailureKind.Usage, older.ExitCode);
        Assert.Contains("cdc conflicts show 2", older.Error, StringComparison.Ordinal);
        var accepted = await world.RunAsync("conflicts", "accept", "2", "--yes");
        Assert.True(accepted.ExitCode == 0, accepted.Error);
        Assert.Contains("partner_id of card 2 becomes 42 in the engine", accepted.Error, StringComparison.Ordinal);
        Assert.Equal(42L, await world.EngineAsync<long>("SELECT partner_id FROM loyalty_cards WHERE id = 2"));
        Assert.Equal(
            """update {"partner_id": 42} pending""",
            await world.EngineAsync<string>("SELECT string_agg(concat_ws(' ', action, after, status), ', ') FROM cdc.sync_log")
        );
        // With the one before it, of the same value.
        Assert.Equal("3 4 5", await world.EngineAsync<string>(Open));
        var again = await world.RunAsync("conflicts", "accept", "2", "--yes");
        Assert.Equal((int)FailureKind.Usage, again.ExitCode);
        Assert.Contains("was settled before (accepted by ", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_kept_changes_nothing_and_is_settled()
    {
        await using var world = await WorldAsync();
        Assert.Equal((int)FailureKind.Usage, (await world.RunAsync("conflicts", "keep", "3", "99")).ExitCode);
        Assert.Equal("1 2 3 4 5", await world.EngineAsync<string>(Open));
        var kept = await world.RunAsync("conflicts", "keep", "3", "2");
        Assert.Contains("3 conflicts are settled", kept.Out, StringComparison.Ordinal);
        Assert.Equal("4 5", await world.EngineAsync<string>(Open));
        Assert.Equal(0L, await world.EngineAsync<long>("SELECT count(*) FROM cdc.sync_log"));
        var open = JsonDocument.Parse((await world.RunAsync("conflicts", "list", "--json")).Out).RootElement.GetProperty("conflicts");
        Assert.Equal([5, 4], open.EnumerateArray().Select(c => c.GetProperty("id").GetInt32()));
        Assert.Contains("kept", (await world.RunAsync("conflicts", "list", "--settled")).Out, StringComparison.Ordinal);
        var shown = await world.RunAsync("conflicts", "show", "2");
        Assert.Contains("Odoo has         42", shown.Out, StringComparison.Ordinal);
        Assert.Contains("kept by", shown.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3", "deleted", "is of the whole card", "cdc conflicts keep 3")]
    [InlineData("4", "points", "is added to by both sides", "points = points + …")]
    [InlineData("5", "partner_id", "belongs to odoo, not to the engine", "cdc owner set --id 3 engine")]
    [InlineData("6", "?", "There is no conflict 6", "cdc conflicts list")]
    public async Task What_cannot_be_taken_is_refused_with_what_to_do(string conflict, string what, string said, string remedy)
    {
        await using var world = await WorldAsync();
        var run = await world.RunAsync("conflicts", "accept", conflict, "--yes");
        Assert.True(run.ExitCode is (int)FailureKind.Refused or (int)FailureKind.Usage, what);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.Contains(remedy, run.Error, StringComparison.Ordinal);
        Assert.Equal("1 2 3 4 5", await world.EngineAsync<string>(Open));
    }

    [Fact]
    public async Task A_value_is_not_taken_without_a_yes()
    {
        await using var world = await WorldAsync();
        Assert.Equal((int)FailureKind.Refused, (await world.RunAsync("conflicts", "accept", "2")).ExitCode);
        Assert.Equal("1 2 3 4 5", await world.EngineAsync<string>(Open));
    }

    /// <summary>Card 2 is the engine's; of card 3 somebody took it back.</summary>
    private async Task<HostWorld> WorldAsync()
    {
        var world = await OwnedEntities.CreateWorldAsync(servers);
        await world.EngineAsync("UPDATE loyalty_cards SET owner = 'engine' WHERE id = 2");
        await world.EngineAsync(
            """
            INSERT INTO cdc.conflicts (entity, key, card, kind, field, odoo_value, engine_value, base_value, generation, lsn, ordinal) VALUES
                ('card', 2, 2, 'changed', 'partner_id', '41', '7', '5', 1, '0/1', 0), ('card', 2, 2, 'changed', 'partner_id', '42', '7', '41', 1, '0/2', 0),
                ('card', 1, 1, 'deleted', '*', NULL, NULL, NULL, 1, '0/3', 0), ('card', 2, 2, 'altered', 'points', '3', '4', '3', 1, '0/4', 0),
                ('card', 3, 3, 'changed', 'partner_id', '41', '7', '5', 1, '0/5', 0)
            """
        );
        return world;
    }
}
