using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Snapshots;
using Cdc.Engine.Fences;
using Cdc.Reconcile.Fences;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>What a fence promises while all is well, and what it says when it cannot open.</summary>
public sealed class FenceTests(TestServers servers) : IAsyncLifetime
{
    private PipelineBed _bed = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bed = await PipelineBed.CreateAsync(servers, Ct);
        await _bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'card ' || i, i FROM generate_series(1, 20) i;
            """,
            Ct
        );
        _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task Both_snapshots_stay_where_the_fence_was_while_the_stream_goes_on()
    {
        await using (var fence = await OpenAsync())
        {
            await _bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 99", Ct);
            await _bed.CaughtUpAsync(Ct);
            Assert.Equal(210m, await ScalarAsync<decimal>(fence.Engine, "SELECT sum(points) FROM loyalty_cards"));
            Assert.Equal(210d, await ScalarAsync<double>(fence.Source, "SELECT sum(points) FROM loyalty_card"));
            Assert.Empty(fence.InFlight.Keys);
            Assert.Equal(1, fence.Generation);
            Assert.Equal("open", await StateAsync());
        }
        Assert.Equal("done", await StateAsync());
        Assert.Equal(1980m, await _bed.Engine.ScalarAsync<decimal>("SELECT sum(points) FROM loyalty_cards", Ct));
    }

    [Fact]
    public async Task A_row_changed_by_hand_in_the_engine_is_the_one_difference()
    {
        await _bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 0.01 WHERE id = 7", Ct);
        var refused = await Assert.ThrowsAsync<NotEqualException>(() => _bed.AssertEqualAtFenceAsync("card", Ct));
        Assert.Contains("card 7: points", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_pipeline_it_says_to_start_one()
    {
        await _bed.StopInProcessAsync();
        var refused = await Assert.ThrowsAsync<FenceException>(() => OpenAsync(new FenceOptions { Timeout = TimeSpan.FromSeconds(1) }));
        Assert.Equal((FenceReasons.NotRunning, FailureKind.Unavailable), (refused.Reason, refused.Kind));
        Assert.Contains("cdc run", refused.Remedy, StringComparison.Ordinal);
        Assert.Equal("broken", await StateAsync());
    }

    [Fact]
    public async Task At_a_gap_it_says_so()
    {
        await _bed.StopInProcessAsync();
        await _bed.Engine.ExecuteAsync("UPDATE cdc.source SET state = 'gap', gap_kind = 'slot-lost', gap_detail = 'gone'", Ct);
        var refused = await Assert.ThrowsAsync<FenceException>(() => OpenAsync(new FenceOptions { Timeout = TimeSpan.FromSeconds(1) }));
        Assert.Equal(FailureKind.DeclaredGap, refused.Kind);
    }

    [Fact]
    public async Task A_stopped_table_is_refused_with_its_reason()
    {
        await _bed.Source.ExecuteAsync("ALTER TABLE loyalty_card RENAME COLUMN code TO coupon", Ct);
        await Eventually.True(
            "the table is stopped",
            () => _bed.Engine.ScalarAsync<bool>("SELECT state = 'stopped' FROM cdc.tables WHERE entity = 'card'", Ct),
            ct: Ct
        );
        var refused = await Assert.ThrowsAsync<FenceException>(() => OpenAsync());
        Assert.Equal((FenceReasons.Stopped, FailureKind.Refused), (refused.Reason, refused.Kind));
    }

    [Fact]
    public async Task A_source_that_the_engine_does_not_follow_is_refused()
    {
        await using var other = await servers.Source.CreateDatabaseAsync("other", ct: Ct);
        await other.ExecuteAsync("CREATE TABLE loyalty_card (id int PRIMARY KEY)", Ct);
        var gate = new FenceGate(other.ConnectionString, _bed.Engine.ConnectionString, new FenceOptions());
        var refused = await Assert.ThrowsAsync<FenceException>(() => gate.OpenAsync(_bed.Entity("card"), KeyRange.All, Ct));
        Assert.Equal(FailureKind.Configuration, refused.Kind);
        Assert.Contains(other.Name, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_was_rewritten_without_an_event_is_no_drift_before_it_is_read_again()
    {
        await _bed.Source.ExecuteAsync("ALTER TABLE loyalty_card ALTER COLUMN points TYPE double precision USING points * 2", Ct);
        await _bed.AssertEqualAtFenceAsync("card", Ct);
        await _bed.CaughtUpAsync(Ct);
        Assert.Equal(20, (await _bed.AssertEqualAtFenceAsync("card", Ct)).Compared);
    }

    [Theory]
    [InlineData("ALTER TABLE loyalty_card ALTER COLUMN points TYPE double precision USING points * 2")]
    [InlineData("TRUNCATE loyalty_card CASCADE")]
    [InlineData("DROP TABLE loyalty_card CASCADE; CREATE TABLE loyalty_card (id int PRIMARY KEY)")]
    public async Task Another_file_than_the_engine_remembers_is_not_compared(string change)
    {
        // Nobody is there to notice.
        await _bed.StopInProcessAsync();
        await _bed.Source.ExecuteAsync(change, Ct);
        await using var source = await _bed.Source.DataSource.OpenConnectionAsync(Ct);
        await using var engine = await _bed.Engine.DataSource.OpenConnectionAsync(Ct);
        var odoo = await SourceReading.BeginAsync(source, _bed.Entity("card"), Ct);
        var ours = await EngineReading.BeginAsync(engine, _bed.Entity("card"), Ct);
        Assert.Equal(FenceReasons.Rewritten, Comparability.Refuse(odoo, ours, _bed.Entity("card"), 1)?.Reason);
    }

    [Fact]
    public async Task A_table_that_was_truncated_is_compared_as_it_is_now()
    {
        await _bed.Source.ExecuteAsync(
            "TRUNCATE loyalty_card CASCADE; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (5, 1, 'five', 5)",
            Ct
        );
        await _bed.AssertEqualAtFenceAsync("card", Ct);
        await _bed.CaughtUpAsync(Ct);
        Assert.Equal(1, (await _bed.AssertEqualAtFenceAsync("card", Ct)).Compared);
    }

    [Fact]
    public async Task Frozen_writes_have_nothing_in_flight()
    {
        await using var fence = await _bed.Gate().OpenFrozenAsync(_bed.Entity("card"), KeyRange.All, Ct);
        Assert.Empty(fence.InFlight.Keys);
    }

    [Fact]
    public async Task Many_ask_at_once_and_all_are_answered()
    {
        var asked = Enumerable.Range(0, 8).Select(i => _bed.AssertEqualAtFenceAsync(i % 2 == 0 ? "card" : "program", Ct));
        Assert.All(await Task.WhenAll(asked), answer => Assert.NotEqual(0, answer.Compared));
    }

    private Task<FencedSnapshots> OpenAsync(FenceOptions? options = null) =>
        _bed.Gate(options).OpenAsync(_bed.Entity("card"), KeyRange.All, Ct);

    private Task<string?> StateAsync() => _bed.Engine.ScalarAsync<string>("SELECT state FROM cdc.fences ORDER BY id DESC LIMIT 1", Ct);

    private static async Task<T> ScalarAsync<T>(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }
}
