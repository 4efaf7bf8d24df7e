using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

public sealed class PipelineBedTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_from_before_and_after_the_start_arrive_in_this_process_and_in_the_real_one()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_program (name) VALUES ('before'); INSERT INTO loyalty_card (program_id, code, points) VALUES (1, 'a', 1)",
            Ct
        );
        var pipeline = bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 2", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        await pipeline.StopAsync();

        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 3", Ct);
        var process = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal("3.00|2", Assert.Single(await bed.Engine.RowsAsync("SELECT points, sync_version FROM loyalty_cards", Ct)));
        Assert.Equal(0, await process.StopAsync(Signal.Terminate, Ct));
    }

    [Fact]
    public async Task Rows_that_differ_are_told()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_program (name) VALUES ('only in the source')", Ct);
        var report = await Assert.ThrowsAsync<NotEqualException>(() => bed.AssertEqualAsync(Ct));
        Assert.Contains("program 1: is missing in the engine", report.Message, StringComparison.Ordinal);
    }
}
