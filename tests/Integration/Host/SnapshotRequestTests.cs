using Cdc.Core.Failures;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class SnapshotRequestTests(TestServers servers)
{
    private const string Requested =
        "SELECT string_agg(concat_ws('/', kind, entity, COALESCE(from_key::text, '-'), COALESCE(to_key::text, '-'), state), ' ' ORDER BY id) FROM cdc.requests";

    [Fact]
    public async Task A_request_stays_open_for_the_next_run_and_says_that_nobody_is_running()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        var run = await world.RunAsync("snapshot", "loyalty_card");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("No 'cdc run' is running: the request stays open", run.Error, StringComparison.Ordinal);
        await world.RunAsync("snapshot", "card", "--keys", "-5..10");
        await world.RunAsync("snapshot", "move", "--keys", "7..");
        Assert.Equal("snapshot/card/-/-/open snapshot/card/-5/10/open snapshot/move/7/-/open", await world.EngineAsync<string>(Requested));
    }

    [Fact]
    public async Task An_unknown_table_is_refused_with_the_nearest_name_and_asks_for_nothing()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        var run = await world.RunAsync("snapshot", "moev");
        Assert.Equal((int)FailureKind.Usage, run.ExitCode);
        Assert.Contains("Did you mean \"move\"?", run.Error, StringComparison.Ordinal);
        Assert.Equal(0, await world.EngineAsync<long>("SELECT count(*) FROM cdc.requests"));
    }

    [Fact(Timeout = 60_000)]
    public async Task Wait_shows_the_requests_own_chunks_until_it_is_done()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync("INSERT INTO cdc.chunks (entity, generation, kind, rows) VALUES ('card', 3, 'load', 777)");
        using var output = new AnswersAsTheRunWould(
            (
                "open",
                Work(
                    world,
                    "UPDATE cdc.requests SET state = 'accepted'; "
                        + "INSERT INTO cdc.chunks (entity, generation, kind, request, state, rows, finished_at) SELECT 'card', 3, 'snapshot', id, 'done', 250, now() FROM cdc.requests; "
                        + "INSERT INTO cdc.chunks (entity, generation, kind, request) SELECT 'card', 3, 'snapshot', id FROM cdc.requests"
                )
            ),
            (
                "250 rows, 1/2 chunks, 25.0 %",
                Work(
                    world,
                    "UPDATE cdc.chunks SET state = 'done', rows = 700 WHERE kind = 'snapshot' AND state = 'pending'; "
                        + "UPDATE cdc.requests SET state = 'done', answer = '950 rows'"
                )
            )
        );
        var run = await world.RunAsync(null, output, HostWorld.Ct, "snapshot", "card", "--wait");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("card: done, 950 rows, 2/2 chunks, 100.0 %", run.Out, StringComparison.Ordinal);
        Assert.EndsWith("done, 950 rows\n", run.Out, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Wait_for_a_refused_request_exits_with_Refused_and_the_answer()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        using var output = new AnswersAsTheRunWould(
            ("open", Work(world, "UPDATE cdc.requests SET state = 'refused', answer = 'card is stopped'"))
        );
        var run = await world.RunAsync(null, output, HostWorld.Ct, "snapshot", "card", "--wait");
        Assert.Equal((int)FailureKind.Refused, run.ExitCode);
        Assert.Contains("was refused: card is stopped", run.Error, StringComparison.Ordinal);
    }

    private static Action Work(HostWorld world, string sql) => () => world.EngineAsync(sql).GetAwaiter().GetResult();

    /// <summary>Does the next thing when the line that it answers is shown: no step depends on time.</summary>
    private sealed class AnswersAsTheRunWould(params (string Shown, Action Act)[] steps) : StringWriter
    {
        private int _next;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (_next < steps.Length && value!.Contains(steps[_next].Shown, StringComparison.Ordinal))
                steps[_next++].Act();
        }
    }
}
