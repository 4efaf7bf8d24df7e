using System.Text.Json;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>A bed with a little shop in it, the real <c>cdc</c> over it, and the questions that fault tests ask.</summary>
internal sealed class Scene : IAsyncDisposable
{
    private const string Shop = """
        INSERT INTO loyalty_program (name, active) VALUES ('shop', true);
        INSERT INTO loyalty_card (program_id, partner_id, code, points) SELECT 1, i, 'card ' || i, i FROM generate_series(1, 50) i;
        INSERT INTO loyalty_point_move (loyalty_card_id, state, initial_point, remaining_point) SELECT i, 'active', i, i FROM generate_series(1, 50) i;
        INSERT INTO loyalty_point_history (loyalty_card_id, point_move_id, points_amount, points_balance) SELECT i, i, i, i FROM generate_series(1, 50) i;
        """;

    private const string Change = """
        UPDATE loyalty_card SET points = points + 1;
        DELETE FROM loyalty_card WHERE id = (SELECT min(id) FROM loyalty_card);
        INSERT INTO loyalty_card (program_id, code, points) SELECT 1, 'new ' || gen_random_uuid(), 1;
        """;

    private Scene(PipelineBed bed) => Bed = bed;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public PipelineBed Bed { get; }
    public TestDatabase Source => Bed.Source;
    public TestDatabase Engine => Bed.Engine;
    public string Slot => Bed.SourceOptions.SlotName;
    public string Publication => Bed.SourceOptions.Publication;

    public static async Task<Scene> CreateAsync(TestServers servers) => await WithShopAsync(await PipelineBed.CreateAsync(servers, Ct));

    public static async Task<Scene> CreateAsync(PgCluster source, PgCluster engine) =>
        await WithShopAsync(await PipelineBed.CreateAsync(source.ConnectionString("postgres"), engine.ConnectionString("postgres"), Ct));

    /// <summary>Loads everything with the real program and stops it.</summary>
    public async Task FollowAsync()
    {
        var run = await FollowingAsync();
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Ct));
    }

    /// <summary>The real program, with everything loaded.</summary>
    public async Task<WatchedProcess> FollowingAsync()
    {
        var run = await Bed.StartProcessAsync(ct: Ct);
        await CaughtUpAsync(run);
        return run;
    }

    /// <summary>Updates every card, deletes one with its moves and history, inserts one.</summary>
    public Task ChangeAsync() => Source.ExecuteAsync(Change, Ct);

    /// <summary>In one transaction.</summary>
    public Task InsertHistoryAsync(int rows) =>
        Source.ExecuteAsync(
            $"INSERT INTO loyalty_point_history (loyalty_card_id, points_amount, points_balance) SELECT 1 + i % 50, i, i FROM generate_series(1, {rows}) i",
            Ct
        );

    /// <summary>The engine has written rows of a transaction that it has not committed yet.</summary>
    public Task ApplyIsInTransactionAsync() =>
        Eventually.True(
            "the engine is in the middle of a transaction",
            async () =>
                await Engine.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cdc apply' AND backend_xid IS NOT NULL)",
                    Ct
                ),
            ct: Ct
        );

    /// <summary>After a server was restarted or replaced: connections in the test's own pools lead nowhere.</summary>
    public void ForgetConnections()
    {
        Source.DataSource.Clear();
        Engine.DataSource.Clear();
    }

    public async Task CaughtUpAsync(WatchedProcess run)
    {
        ForgetConnections();
        try
        {
            await Bed.CaughtUpAsync(Ct);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}{Environment.NewLine}{run.Tail}", e);
        }
    }

    /// <summary>Everything has arrived, source and engine are equal, and the program drains and exits 0.</summary>
    public async Task EndsEqualAsync(WatchedProcess run)
    {
        await CaughtUpAsync(run);
        await Bed.AssertEqualAsync(Ct);
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Ct));
    }

    /// <summary>The program ends by itself as a declared gap of this kind, and says with which command to go on.</summary>
    public async Task StopsWithGapAsync(WatchedProcess run, string kind)
    {
        Assert.True(await EndAsync(run) == 5, $"exit code {run.ExitCode}: {run.Tail}");
        Assert.Contains("cdc slot reset", run.Tail, StringComparison.Ordinal);
        Assert.Equal($"gap|{kind}", Assert.Single(await Engine.RowsAsync("SELECT state, gap_kind FROM cdc.source", Ct)));
    }

    /// <summary>The exit code of a program that ends by itself.</summary>
    public static async Task<int> EndAsync(WatchedProcess run)
    {
        await Eventually.True("cdc run ends by itself", () => run.HasExited, () => run.Tail, ct: Ct);
        return await run.WaitAsync(Ct);
    }

    /// <summary>Starting again does not go on; accepting the gap and starting again ends equal.</summary>
    public async Task GoesOnAfterResetAsync(string kind)
    {
        await StopsWithGapAsync(await Bed.StartProcessAsync(ct: Ct), kind);
        await CommandAsync(0, "slot", "reset", "--yes");
        await ChangeAsync();
        await EndsEqualAsync(await Bed.StartProcessAsync(ct: Ct));
    }

    /// <summary>Runs a command of the real program to its end.</summary>
    /// <returns>What it wrote, stdout and stderr.</returns>
    public async Task<string> CommandAsync(int exitCode, params string[] arguments)
    {
        var (code, output) = await CdcProcess.RunAsync(arguments, Bed.Environment(), Ct);
        Assert.True(code == exitCode, $"cdc {string.Join(' ', arguments)} ended with {code}, not {exitCode}: {output}");
        return output;
    }

    public async Task<JsonElement> StatusAsync()
    {
        var output = await CommandAsync(0, "status", "--json");
        return JsonDocument.Parse(output).RootElement;
    }

    /// <summary>The slot is taken away from whoever reads it, again and again until it could be dropped.</summary>
    public Task DropSlotAsync() =>
        Eventually.True(
            "the slot is dropped",
            async () =>
            {
                try
                {
                    await Source.ExecuteAsync(
                        $"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{Slot}' AND active",
                        Ct
                    );
                    await Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{Slot}')", Ct);
                    return true;
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse)
                {
                    return false;
                }
            },
            ct: Ct
        );

    public Task CreateSlotAsync() => Source.ExecuteAsync($"SELECT pg_create_logical_replication_slot('{Slot}', 'pgoutput')", Ct);

    public ValueTask DisposeAsync()
    {
        ForgetConnections();
        return Bed.DisposeAsync();
    }

    public static async Task<Scene> WithShopAsync(PipelineBed bed)
    {
        await bed.Source.ExecuteAsync(Shop, Ct);
        return new Scene(bed);
    }
}
