using System.Text.RegularExpressions;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>A publication's row filter that fails on a row stands in the way of all tables, whether its own is declared or not.</summary>
public sealed partial class FailingFilterTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("loyalty_point_history", "INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount) VALUES (7000, 1, 1)")]
    [InlineData("other", "INSERT INTO other VALUES (7000)")]
    public async Task It_is_named_with_a_remedy_that_reads_everything_again(string table, string write)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct);
        var publication = bed.SourceOptions.Publication;
        await bed.Source.ExecuteAsync(
            $"CREATE TABLE other (id int PRIMARY KEY); CREATE PUBLICATION {publication} FOR TABLE loyalty_program, loyalty_card, loyalty_point_move, loyalty_point_history, other",
            Ct
        );
        var pipeline = bed.StartInProcess();
        await bed.EqualByItselfAsync(Ct);
        await bed.Source.ExecuteAsync(
            $"ALTER PUBLICATION {publication} DROP TABLE {table}; ALTER PUBLICATION {publication} ADD TABLE {table} WHERE (100 / (id - 7000) < 1000); {write}; UPDATE loyalty_card SET points = points + 1",
            Ct
        );
        var stopped = await Assert.ThrowsAsync<CdcException>(() => pipeline.Completion.WaitAsync(Eventually.DefaultTimeout, Ct));
        Assert.Equal(FailureKind.Preflight, stopped.Kind);
        Assert.Contains($"a row filter of publication {publication} (public.{table}) does", stopped.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"row filter on public.{table}",
            (await CdcProcess.RunAsync(["check"], bed.Environment(), Ct)).Output,
            StringComparison.Ordinal
        );

        await bed.Source.ExecuteAsync(string.Join(' ', Statement().Matches(stopped.Remedy).Select(m => m.Value)), Ct);
        var (code, said) = await CdcProcess.RunAsync(["slot", "reset", "--yes"], bed.Environment(), Ct);
        Assert.True(code == 0, said);
        bed.StartInProcess();
        await bed.EqualByItselfAsync(Ct);
    }

    [GeneratedRegex("ALTER PUBLICATION [^;]*;")]
    private static partial Regex Statement();
}
