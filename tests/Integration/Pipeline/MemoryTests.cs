using System.Globalization;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>
/// The real <c>cdc run</c> keeps its memory bounded, whatever comes. The largest sizes are for <c>CDC_TEST_LONG=1</c>; CI runs the same
/// with less.
/// </summary>
public sealed class MemoryTests(TestServers servers, ITestOutputHelper output)
{
    private const long MaxRssMib = 300;

    private static readonly bool Long = Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1";
    private static readonly TimeSpan Patience = Long ? TimeSpan.FromMinutes(20) : TimeSpan.FromMinutes(3);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_transaction_of_very_many_rows_passes()
    {
        var rows = Long ? 5_000_000 : 200_000;
        await using var bed = await CreateAsync();
        var process = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync(
            $"INSERT INTO loyalty_point_history (loyalty_card_id, points_amount, points_balance, origin) SELECT 1 + i % 1000, 1, i, 'order ' || i FROM generate_series(1, {rows}) i",
            Ct
        );
        await bed.CaughtUpAsync(Ct, Patience);
        AssertBounded(process, $"{rows} rows inserted in one transaction");
        await bed.Source.ExecuteAsync(
            $"UPDATE loyalty_point_history SET points_amount = 2 WHERE id <= {rows / 5}; DELETE FROM loyalty_point_history WHERE id % 10 = 0",
            Ct
        );
        await bed.CaughtUpAsync(Ct, Patience);
        AssertBounded(process, $"{rows / 5} of them updated and {rows / 10} deleted in another");
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task One_transaction_of_rows_of_a_megabyte_passes()
    {
        await using var bed = await CreateAsync();
        var process = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        await InsertLargeRowsAsync(bed);
        await bed.CaughtUpAsync(Ct, Patience);
        AssertBounded(process, "300 rows of 1 MB inserted in one transaction");
        // Updates keep no more than inserts: what CI looks for here is that they are right.
        var where = $"WHERE id % {(Long ? 1 : 4)} = 0";
        await bed.Source.ExecuteAsync(
            $"UPDATE loyalty_point_move SET remaining_point = 1 {where}; UPDATE loyalty_point_move SET origin = origin || 'x', remaining_point = 2 {where}",
            Ct
        );
        await bed.CaughtUpAsync(Ct, Patience);
        AssertBounded(process, "updated twice in another");
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_load_of_rows_of_a_megabyte_passes()
    {
        await using var bed = await CreateAsync();
        await InsertLargeRowsAsync(bed);
        var process = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct, Patience);
        AssertBounded(process, "300 rows of 1 MB loaded");
        if (Long)
        {
            await bed.CommandAsync(Ct, "snapshot", "move", "--wait");
            AssertBounded(process, "and read again");
        }
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_restart_with_a_full_backlog_passes()
    {
        var transactions = Long ? 1_000_000 : 20_000;
        await using var bed = await CreateAsync();
        var first = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);
        await first.StopAsync(Signal.Kill, Ct);
        await bed.Source.ExecuteAsync(
            $"""
            DO $$ BEGIN
                SET synchronous_commit = off;
                FOR i IN 1..{transactions} LOOP
                    UPDATE loyalty_card SET points = i WHERE id = 1 + i % 1000;
                    INSERT INTO loyalty_point_history (loyalty_card_id, points_amount, points_balance) VALUES (1 + i % 1000, 1, i);
                    COMMIT;
                END LOOP;
            END $$
            """,
            Ct
        );
        var second = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct, Patience);
        AssertBounded(second, $"a backlog of {2 * transactions} rows applied after a restart");
        await bed.AssertEqualAsync(Ct);
    }

    private async Task<PipelineBed> CreateAsync()
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (id, name) VALUES (1, 'p');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'c' || i, i FROM generate_series(1, 1000) i;
            """,
            Ct
        );
        return bed;
    }

    private static Task InsertLargeRowsAsync(PipelineBed bed) =>
        bed.Source.ExecuteAsync(
            $"INSERT INTO loyalty_point_move (loyalty_card_id, state, origin) SELECT i, 'active', {LongText.Sql('m')} || i FROM generate_series(1, 300) i",
            Ct
        );

    private void AssertBounded(WatchedProcess process, string what)
    {
        var peak = PeakMib(process.Pid);
        output.WriteLine($"VmHWM {peak} MiB: {what}");
        Assert.True(peak < MaxRssMib, $"{what}: peak RSS {peak} MiB, bound {MaxRssMib} MiB");
    }

    private static long PeakMib(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Trim(), CultureInfo.InvariantCulture) >> 10;
    }
}
