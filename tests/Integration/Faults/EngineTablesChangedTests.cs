using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>DDL of the engine's owner on a declared table, while the pipeline runs.</summary>
public sealed class EngineTablesChangedTests(TestServers servers)
{
    [Theory]
    [InlineData("ALTER TABLE loyalty_cards DROP COLUMN partner_id; ALTER TABLE loyalty_cards ADD COLUMN partner_id bigint")]
    [InlineData(
        "ALTER TABLE loyalty_cards ALTER COLUMN points TYPE numeric(18,0)",
        "ALTER TABLE loyalty_cards ALTER COLUMN points TYPE numeric(18,2)"
    )]
    [InlineData(
        "CREATE TABLE anew (LIKE loyalty_cards INCLUDING ALL); DROP TABLE loyalty_cards CASCADE; ALTER TABLE anew RENAME TO loyalty_cards"
    )]
    public async Task Values_that_it_took_away_are_read_again(params string[] changes)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Scene.Ct);
        await bed.FillAsync(Scene.Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET partner_id = id, points = id + 0.25", Scene.Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Scene.Ct);
        foreach (var change in changes)
        {
            var asked = await RequestsAsync(bed);
            await bed.Engine.ExecuteAsync(change, Scene.Ct);
            await Eventually.True(
                "the table is read again",
                async () => await RequestsAsync(bed) > asked,
                () => Task.FromResult(string.Join('\n', bed.Log.Lines)),
                ct: Scene.Ct
            );
        }
        await bed.EqualByItselfAsync(Scene.Ct);
        Assert.Equal(changes.Length, await RequestsAsync(bed));
    }

    [Fact]
    public async Task A_column_that_is_gone_is_said_once_and_read_again_when_it_is_back()
    {
        await using var scene = await Scene.CreateAsync(servers);
        using var served = await Served.StartAsync(scene);
        await scene.CaughtUpAsync(served.Run);
        await scene.Engine.ExecuteAsync("ALTER TABLE loyalty_cards DROP COLUMN partner_id", Scene.Ct);
        await scene.Source.ExecuteAsync("UPDATE loyalty_card SET partner_id = 5", Scene.Ct);
        await served.SaysAsync("cdc_pipeline_stopped{class=\"preflight\"} 1");
        Assert.Contains("ADD COLUMN partner_id bigint", (await served.GetAsync("/status")).Text, StringComparison.Ordinal);
        await scene.Engine.ExecuteAsync("ALTER TABLE loyalty_cards ADD COLUMN partner_id bigint", Scene.Ct);
        await scene.Bed.EqualByItselfAsync(Scene.Ct);
        await Eventually.True("it works again", () => SaidAgain() > 0, () => served.Run.Tail, ct: Scene.Ct);
        Assert.Equal(1, SaidAgain());

        int SaidAgain() =>
            served.Run.Tail.Split((char)10).Count(line => line.Contains("The pipeline works again", StringComparison.Ordinal));
    }

    private static Task<long> RequestsAsync(PipelineBed bed) =>
        bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.requests WHERE entity = 'card'", Scene.Ct);
}
