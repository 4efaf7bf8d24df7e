using System.Collections.Concurrent;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline.Matrix;

/// <summary>
/// Every change of table, publication and role, at every moment: the table is followed exactly, or stops with its name. The matrix is
/// printed, and docs/reliability.md has it. <c>CDC_UPDATE_GOLDEN=1</c> writes it there.
/// </summary>
public sealed class TableMatrixTests(TestServers servers, TestKafka kafka)
{
    /// <summary>Most of the time they wait for the next look at the catalog.</summary>
    private const int AtOnce = 5;

    private const string Head = "| change | first start | while running | between two runs | during a load |";

    [Fact]
    public async Task Whatever_is_changed_and_whenever_no_table_is_streaming_that_differs()
    {
        var matrix = await RunAsync(TableChanges.All, InProcessAsync);
        await CompareAsync([Head, "|---|---|---|---|---|", .. matrix]);
    }

    [Fact]
    public async Task The_same_over_Kafka()
    {
        await kafka.OptionsAsync();
        await RunAsync([.. TableChanges.All.Where(c => c.OverKafka)], OverKafkaAsync);
    }

    private static async Task<IReadOnlyList<string>> RunAsync(IReadOnlyList<TableChange> changes, Func<TableChange, Task<string>> run)
    {
        var lines = new ConcurrentDictionary<string, string>();
        var failures = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(
            changes,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken },
            async (change, _) =>
            {
                try
                {
                    lines[change.Name] = await run(change);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    failures.Enqueue($"{change.Name}: {e}");
                }
            }
        );
        var matrix = changes.Where(c => lines.ContainsKey(c.Name)).Select(c => lines[c.Name]).ToList();
        Console.WriteLine(string.Join(Environment.NewLine, matrix));
        Assert.True(failures.IsEmpty, string.Join(Environment.NewLine + Environment.NewLine, failures));
        return matrix;
    }

    private async Task<string> InProcessAsync(TableChange change)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, TestContext.Current.CancellationToken);
        await using var role = await RoleAsync(bed, change);
        var table = new ChangedTable(
            bed,
            change,
            role,
            () =>
            {
                var pipeline = bed.StartInProcess();
                return new RunningPipeline(pipeline.Completion, pipeline.StopAsync);
            }
        );
        await table.PrepareAsync();
        var first = await table.AtFirstStartAsync();
        var running = await table.WhileRunningAsync();
        var between = await table.BetweenTwoRunsAsync();
        return $"| {change.Name} | {first} | {running} | {between} | {await table.DuringALoadAsync()} |";
    }

    private async Task<string> OverKafkaAsync(TableChange change)
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, TestContext.Current.CancellationToken);
        await using var role = await RoleAsync(bed.Bed, change);
        var table = new ChangedTable(
            bed.Bed,
            change,
            role,
            () =>
            {
                var both = bed.StartBoth();
                return new RunningPipeline(both.Completion, both.StopAsync);
            }
        );
        await table.PrepareAsync();
        var first = await table.AtFirstStartAsync();
        return $"| {change.Name} | {first} | {await table.WhileRunningAsync()} | {await table.DuringALoadAsync()} |";
    }

    private static async Task<ReaderRole?> RoleAsync(PipelineBed bed, TableChange change) =>
        change.AsReader ? await ReaderRole.CreateAsync(bed.Source, null) : null;

    private static async Task CompareAsync(IReadOnlyList<string> matrix)
    {
        var path = SourceTree.PathOf("docs/reliability.md");
        var lines = (await File.ReadAllLinesAsync(path)).ToList();
        var at = lines.IndexOf(Head);
        Assert.True(at >= 0, "docs/reliability.md has no matrix.");
        var documented = lines.Skip(at).TakeWhile(l => l.StartsWith('|')).ToList();
        if (Environment.GetEnvironmentVariable("CDC_UPDATE_GOLDEN") == "1")
        {
            lines.RemoveRange(at, documented.Count);
            lines.InsertRange(at, matrix);
            await File.WriteAllLinesAsync(path, lines);
            return;
        }
        Assert.Equal(matrix, documented);
    }
}
