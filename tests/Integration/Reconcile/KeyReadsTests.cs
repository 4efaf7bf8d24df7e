using Cdc.Core.Failures;
using Cdc.Core.Snapshots;
using Cdc.Reconcile.Requests;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Time;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>A repair: exactly the keys that are asked for are read again, through the pipeline.</summary>
public sealed class KeyReadsTests(TestServers servers) : IAsyncLifetime
{
    private PipelineBed _bed = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bed = await PipelineBed.CreateAsync(servers, Ct);
        await _bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'card ' || i, i FROM generate_series(1, 2500) i;
            """,
            Ct
        );
        _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task Changed_missing_and_extra_rows_are_repaired_and_others_are_left_alone()
    {
        await _bed.Engine.ExecuteAsync(
            """
            UPDATE loyalty_cards SET points = points + 1 WHERE id IN (7, 8);
            DELETE FROM loyalty_cards WHERE id = 9;
            INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (9001, 9001, 1, 'nobody', 0), (9002, 9002, 1, 'nobody', 0);
            """,
            Ct
        );
        Assert.Equal("2 rows read, 1 rows removed", await ReadAsync(7, 9, 9001));
        Assert.Equal(
            ["7|7.00", "8|9.00", "9|9.00", "9002|0.00"],
            await _bed.Engine.RowsAsync("SELECT id, points FROM loyalty_cards WHERE id IN (7, 8, 9, 9001, 9002) ORDER BY id", Ct)
        );
        Assert.Equal("1 rows read, 1 rows removed", await ReadAsync(8, 9002));
        await _bed.AssertEqualAtFenceAsync("card", Ct);
    }

    [Fact]
    public async Task More_keys_than_a_chunk_may_have_and_more_bytes_are_many_chunks_of_one_request()
    {
        // A few rows fill a chunk, so each of them is cut again.
        _bed.SnapshotOptions = _bed.SnapshotOptions with
        {
            ChunkBytes = 65_536,
        };
        await _bed.RestartInProcessAsync();
        await _bed.Source.ExecuteAsync(
            "ALTER TABLE loyalty_card ALTER COLUMN code TYPE text; UPDATE loyalty_card SET code = code || repeat('x', 100)",
            Ct
        );
        await _bed.CaughtUpAsync(Ct);
        await _bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = -1 WHERE id <= 2400", Ct);
        Assert.Equal("2400 rows read, 0 rows removed", await ReadAsync([.. Enumerable.Range(1, 2400).Select(i => (long)i)]));
        Assert.True(
            await _bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.chunks WHERE keys IS NOT NULL AND state = 'done'", Ct) > 3
        );
        await _bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_request_is_kept_for_the_next_pipeline()
    {
        await _bed.StopInProcessAsync();
        await _bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 0 WHERE id = 7", Ct);
        var reads = new KeyReads(_bed.Engine.ConnectionString, _bed.Log);
        var request = await reads.AskAsync(_bed.Entity("card"), [7], Ct);
        _bed.StartInProcess();
        Assert.Equal("1 rows read, 0 rows removed", (await reads.WaitAsync(request, Ct)).Answer);
        await _bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_request_that_nobody_serves_is_told_of_and_given_up_at_last_and_stays_open()
    {
        await _bed.StopInProcessAsync();
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        var reads = new KeyReads(_bed.Engine.ConnectionString, _bed.Log, time);
        var request = await reads.AskAsync(_bed.Entity("card"), [7], Ct);
        var waiting = reads.WaitAsync(request, Ct);
        await LooksAgainAsync();
        Assert.DoesNotContain(_bed.Log.Lines, IsToldOf);
        time.Advance(KeyReads.LogEvery);
        await Eventually.True(
            "it is told",
            async () =>
            {
                await LooksAgainAsync();
                return _bed.Log.Lines.Any(IsToldOf);
            },
            ct: Ct
        );
        Assert.False(waiting.IsCompleted);
        time.Advance(KeyReads.Timeout - KeyReads.LogEvery);
        await LooksAgainAsync();
        Assert.Equal(FailureKind.Unavailable, (await Assert.ThrowsAsync<CdcException>(() => waiting)).Kind);
        Assert.Equal("open", await _bed.Engine.ScalarAsync<string>($"SELECT state FROM cdc.requests WHERE id = {request}", Ct));

        bool IsToldOf(string line) => line.Contains($"Request {request} has not been served", StringComparison.Ordinal);
    }

    /// <summary>A caller that waits for an answer is woken.</summary>
    private Task LooksAgainAsync() => _bed.Engine.ExecuteAsync($"NOTIFY {RequestChannels.Answers}", Ct);

    private async Task<string> ReadAsync(params long[] keys)
    {
        var reads = new KeyReads(_bed.Engine.ConnectionString, _bed.Log);
        return (await reads.WaitAsync(await reads.AskAsync(_bed.Entity("card"), keys, Ct), Ct)).Answer;
    }
}
