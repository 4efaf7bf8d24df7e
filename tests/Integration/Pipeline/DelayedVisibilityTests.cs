using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>
/// A commit that waits for a synchronous standby is in the WAL, and streamed, before any snapshot sees it. What such a snapshot reads is
/// older than what the stream brought.
/// </summary>
public sealed class DelayedVisibilityTests(TestServers servers) : IAsyncLifetime
{
    private PgCluster _odoo = null!;
    private MissingStandby _standby = null!;
    private PipelineBed _bed = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _odoo = await PgCluster.StartAsync(new PgClusterOptions { Name = "delayed", SharedBuffers = "32MB" }, Ct);
        _standby = new MissingStandby(_odoo);
        _bed = await PipelineBed.CreateAsync(_odoo.ConnectionString("postgres"), await servers.Engine.ConnectionStringAsync(), Ct);
        await _bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'one', 1), (2, 1, 'two', 2), (3, 1, 'three', 3);
            """,
            Ct
        );
        _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _standby.DisposeAsync();
        await _bed.DisposeAsync();
        await _odoo.DisposeAsync();
    }

    [Fact]
    public async Task A_chunk_that_does_not_see_a_streamed_transaction_brings_nothing_old_back()
    {
        await _standby.HoldAsync();
        var waiting = CommitAsync(
            """
            UPDATE loyalty_card SET points = 10 WHERE id = 1;
            DELETE FROM loyalty_card WHERE id = 2;
            UPDATE loyalty_card SET id = 30 WHERE id = 3;
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (4, 1, 'four', 4);
            """
        );
        string[] streamed = ["1|10.00", "4|4.00", "30|3.00"];
        await EngineShowsAsync(streamed);
        Assert.Equal(["1|1", "2|2", "3|3"], await _bed.Source.RowsAsync("SELECT id, points FROM loyalty_card ORDER BY id", Ct));

        await SnapshotAsync();

        Assert.False(waiting.IsCompleted);
        Assert.Equal(streamed, await EngineAsync());
        await _standby.ReleaseAsync();
        await waiting;
        await SnapshotAsync();
        await _bed.CaughtUpAsync(Ct);
        Assert.Equal(streamed, await EngineAsync());
        await _bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_chunk_that_does_not_see_a_streamed_truncate_brings_no_row_back()
    {
        await _standby.HoldAsync();
        var waiting = CommitAsync(
            "TRUNCATE loyalty_card CASCADE; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (5, 1, 'five', 5)"
        );
        await EngineShowsAsync("5|5.00");
        // The truncated table is locked until the transaction is visible; the chunk is read when it is.
        await RequestAsync();
        await _standby.ReleaseAsync();
        await waiting;
        await AnsweredAsync();
        await _bed.CaughtUpAsync(Ct);
        Assert.Equal(["5|5.00"], await EngineAsync());
        await _bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_chunk_waits_for_a_streamed_transaction_that_is_too_large_to_remember()
    {
        // Two rows are more than may be remembered.
        _bed.SourceOptions = _bed.SourceOptions with
        {
            RememberedKeys = 1,
        };
        await _bed.RestartInProcessAsync();
        await _bed.CaughtUpAsync(Ct);
        await _standby.HoldAsync();
        var waiting = CommitAsync("UPDATE loyalty_card SET points = points + 10");
        string[] streamed = ["1|11.00", "2|12.00", "3|13.00"];
        await EngineShowsAsync(streamed);

        await RequestAsync();
        await _bed.StreamCaughtUpAsync(Ct);
        Assert.Equal(streamed, await EngineAsync());
        Assert.True(await _bed.Engine.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM cdc.requests WHERE state <> 'done')", Ct));

        await _standby.ReleaseAsync();
        await waiting;
        await AnsweredAsync();
        Assert.Equal(streamed, await EngineAsync());
        await _bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task After_a_restart_a_chunk_waits_for_what_was_streamed_before_it_and_is_not_visible_yet()
    {
        // No heartbeat behind the transaction that waits: it is the newest that there is.
        var beat = _bed.SourceOptions;
        _bed.SourceOptions = beat with { HeartbeatInterval = TimeSpan.FromMinutes(5) };
        await (await _bed.RestartInProcessAsync()).Streaming.WaitAsync(Ct);
        // The first heartbeat comes before this row is applied.
        await _bed.Source.ExecuteAsync("INSERT INTO loyalty_program (name) VALUES ('two')", Ct);
        await Eventually.True(
            "the session streams",
            () => _bed.Engine.ScalarAsync<bool>("SELECT count(*) = 2 FROM promotion_programs", Ct),
            ct: Ct
        );
        await _standby.HoldAsync();
        var waiting = CommitAsync("UPDATE loyalty_card SET points = points + 10");
        string[] streamed = ["1|11.00", "2|12.00", "3|13.00"];
        await EngineShowsAsync(streamed);
        _bed.SourceOptions = beat;
        await _bed.RestartInProcessAsync();

        await RequestAsync();
        await Eventually.True(
            "the chunk waits, or was read",
            async () => _bed.Log.Lines.Any(l => l.Contains("A chunk of card waits", StringComparison.Ordinal)) || await IsAnsweredAsync(),
            ct: Ct
        );
        await _bed.StreamCaughtUpAsync(Ct);
        Assert.Equal(streamed, await EngineAsync());
        Assert.False(await IsAnsweredAsync());

        await _standby.ReleaseAsync();
        await waiting;
        await AnsweredAsync();
        Assert.Equal(streamed, await EngineAsync());
        await _bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task Markers_pass_where_a_transactional_message_waits_for_the_standby()
    {
        await _standby.HoldAsync();
        var waiting = CommitAsync("SELECT pg_logical_emit_message(true, 'test', 'waits')");
        await _bed.CaughtUpAsync(Ct);
        Assert.False(waiting.IsCompleted);
        await _standby.ReleaseAsync();
        await waiting;
    }

    /// <summary>One transaction; the task ends when its commit does.</summary>
    private async Task CommitAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_bed.Source.ConnectionString + ";Pooling=false;Command Timeout=0");
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private Task<IReadOnlyList<string>> EngineAsync() => _bed.Engine.RowsAsync("SELECT id, points FROM loyalty_cards ORDER BY id", Ct);

    private Task EngineShowsAsync(params string[] rows) =>
        Eventually.True(
            "the waiting transaction is in the engine",
            async () => rows.SequenceEqual(await EngineAsync()),
            async () => string.Join(' ', await EngineAsync()),
            ct: Ct
        );

    private async Task SnapshotAsync()
    {
        await RequestAsync();
        await AnsweredAsync();
    }

    private Task RequestAsync() => _bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);

    private Task<bool> IsAnsweredAsync() => _bed.Engine.ScalarAsync<bool>("SELECT bool_and(state = 'done') FROM cdc.requests", Ct);

    private Task AnsweredAsync() =>
        Eventually.True(
            "the card table is read again",
            IsAnsweredAsync,
            () => Task.FromResult(string.Join(Environment.NewLine, _bed.Log.Lines.TakeLast(10))),
            ct: Ct
        );
}
