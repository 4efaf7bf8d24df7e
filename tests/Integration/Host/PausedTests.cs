using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Host;

/// <summary>While Odoo's database is let go of, every command says so, and none of those that look has a session there.</summary>
public sealed class PausedTests(TestServers servers)
{
    /// <summary>Asking it would show.</summary>
    private const string NoServer = "Host=127.0.0.1;Port=1;Database=none;Username=nobody;Timeout=2";

    private const string Pause = "UPDATE cdc.source SET paused_until = clock_timestamp() + interval '1 hour', paused_by = 'ops@here'";

    [Fact]
    public async Task Commands_that_look_say_it_and_leave_the_source_alone()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync(Pause);
        world.SourceConnection = NoServer;

        var check = await world.RunAsync("check");
        Assert.Equal(4, check.ExitCode);
        Assert.Contains("source-paused: Odoo's database is let go of until", check.Out, StringComparison.Ordinal);
        Assert.Contains("cdc resume", check.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("source-unreachable", check.Out, StringComparison.Ordinal);

        var lag = await world.RunAsync("lag");
        Assert.Equal(0, lag.ExitCode);
        Assert.Contains("paused: Odoo's database is let go of until", lag.Out, StringComparison.Ordinal);

        var asked = await world.RunAsync("snapshot", "card");
        Assert.Equal(0, asked.ExitCode);
        Assert.Contains("Odoo's database is let go of until", asked.Error, StringComparison.Ordinal);
        Assert.Contains("'cdc resume'", asked.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("No 'cdc run' is running", asked.Error, StringComparison.Ordinal);
    }
}
