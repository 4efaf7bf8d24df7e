using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

public sealed class ReconnectTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_session_that_applied_something_the_pauses_begin_anew()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.StartInProcess();
        for (var cut = 1; cut <= 4; cut++)
        {
            await bed.Source.ExecuteAsync("INSERT INTO loyalty_program (name) VALUES ('one more')", Ct);
            await bed.CaughtUpAsync(Ct);
            await bed.Source.ExecuteAsync(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database() AND active",
                Ct
            );
            await Eventually.True("the connection is lost", () => Pauses(bed).Count >= cut, ct: Ct);
        }
        Assert.All(Pauses(bed), pause => Assert.EndsWith("Trying again in 0.2 s", pause, StringComparison.Ordinal));
    }

    private static List<string> Pauses(PipelineBed bed) =>
        [.. bed.Log.Lines.Where(l => l.Contains("Trying again", StringComparison.Ordinal))];
}
