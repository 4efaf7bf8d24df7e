using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Postgres;
using Npgsql.Replication;
using Npgsql.Replication.PgOutput;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class SlotTests(TestServers servers)
{
    [Fact]
    public async Task Show_finds_a_slot_that_fits()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        Assert.Equal("not-followed", await VerdictAsync(world));
        await world.FollowAsync();
        Assert.Equal("continuous", await VerdictAsync(world));
        Assert.DoesNotContain("slot", string.Join(' ', await CheckedAsync(world)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE cdc.source SET written_lsn = '0/1'", "gap", "slot-advanced")]
    [InlineData("UPDATE cdc.checkpoints SET through_lsn = 'FFFF/0'", "gap", "source-behind")]
    [InlineData("UPDATE cdc.source SET state = 'gap', gap_kind = 'source-rewound'", "gap", "source-rewound")]
    [InlineData("UPDATE cdc.source SET timeline = 9", "gap", "timeline-changed")]
    [InlineData("UPDATE cdc.source SET slot = 'another'", "gap", "slot-renamed")]
    [InlineData("UPDATE cdc.source SET database_name = 'another', database_oid = 1", "gap", "source-changed")]
    [InlineData("UPDATE cdc.source SET system_identifier = '9'", "other-identity", "source-changed")]
    [InlineData(
        "UPDATE cdc.source SET system_identifier = '9', state = 'gap', gap_kind = 'source-changed'",
        "other-identity",
        "source-changed"
    )]
    public async Task Show_names_what_does_not_fit(string broken, string verdict, string finding)
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync(broken);
        var shown = await world.RunAsync("slot", "show", "--json");
        Assert.Equal((int)FailureKind.DeclaredGap, shown.ExitCode);
        var report = JsonDocument.Parse(shown.Out).RootElement;
        Assert.Equal(verdict, report.GetProperty("verdict").GetString());
        Assert.Equal(finding, report.GetProperty("findings")[0].GetProperty("code").GetString());
        Assert.Contains(finding, await CheckedAsync(world));
    }

    [Theory]
    [InlineData("DROP PUBLICATION cdc_loyalty", "publication-missing")]
    [InlineData("ALTER PUBLICATION cdc_loyalty SET (publish = 'insert, update')", "publication-partial")]
    public async Task Show_names_a_publication_that_does_not_bring_everything(string broken, string finding)
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.SourceAsync(broken);
        var report = JsonDocument.Parse((await world.RunAsync("slot", "show", "--json")).Out).RootElement;
        Assert.Equal("gap", report.GetProperty("verdict").GetString());
        Assert.Equal(finding, report.GetProperty("findings")[0].GetProperty("code").GetString());
        Assert.Contains(finding, await CheckedAsync(world));
    }

    [Fact]
    public async Task Show_names_everything_that_does_not_fit_at_once()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.SourceAsync($"SELECT pg_drop_replication_slot('{world.Slot}')");
        await world.SourceAsync("DROP PUBLICATION cdc_loyalty");
        await world.EngineAsync("UPDATE cdc.source SET system_identifier = '9'; UPDATE cdc.checkpoints SET through_lsn = 'FFFF/0'");
        var report = JsonDocument.Parse((await world.RunAsync("slot", "show", "--json")).Out).RootElement;
        Assert.Equal(
            ["source-changed", "slot-missing", "publication-missing", "source-behind"],
            report.GetProperty("findings").EnumerateArray().Select(f => f.GetProperty("code").GetString()!)
        );
    }

    [Fact]
    public async Task Another_source_is_named_before_what_it_lacks()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        Assert.Equal(0, (await world.RunAsync("slot", "create", "--yes")).ExitCode);
        await using var other = await servers.Source.CreateDatabaseAsync("cdc_host_other", ct: HostWorld.Ct);
        var role = other.Name + "_reader";
        await other.ExecuteAsync($"CREATE ROLE {role} LOGIN REPLICATION", HostWorld.Ct);
        try
        {
            world.SourceConnection = $"{other.ConnectionString};Username={role};Pooling=false";
            var codes = await CheckedAsync(world);
            Assert.Equal("source-changed", codes[0]);
            Assert.Contains("table-missing", codes);
            var run = await world.RunProcessAsync(null, "run");
            Assert.True(run.ExitCode == (int)FailureKind.Preflight, run.Output);
            Assert.InRange(
                run.Output.IndexOf("source-changed", StringComparison.Ordinal),
                0,
                run.Output.IndexOf("table-missing", StringComparison.Ordinal)
            );
        }
        finally
        {
            await other.ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}", CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_dropped_slot_is_a_gap_that_names_the_reset()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        Assert.Equal(0, (await world.RunAsync("slot", "drop", "--yes")).ExitCode);
        var run = await world.RunAsync("slot", "show");
        Assert.Equal((int)FailureKind.DeclaredGap, run.ExitCode);
        Assert.Contains("slot-missing", run.Out, StringComparison.Ordinal);
        Assert.Contains("cdc slot reset", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("drop")]
    [InlineData("reset")]
    [InlineData("adopt")]
    public async Task Without_yes_and_without_a_terminal_nothing_is_touched(string command)
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        if (command == "adopt")
            await world.EngineAsync("UPDATE cdc.source SET system_identifier = '9'");
        var before = await StateAsync(world);
        var run = await world.RunAsync("slot", command);
        Assert.Equal((int)FailureKind.Refused, run.ExitCode);
        Assert.Contains("This will happen:", run.Error, StringComparison.Ordinal);
        Assert.Equal(before, await StateAsync(world));
    }

    [Theory]
    [InlineData("drop")]
    [InlineData("reset")]
    [InlineData("adopt")]
    public async Task A_slot_that_is_being_read_is_not_touched(string command)
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await using var reader = await Reader.StartAsync(world);
        var before = await StateAsync(world);
        var run = await world.RunAsync("slot", command, "--yes");
        Assert.Equal((int)FailureKind.Refused, run.ExitCode);
        Assert.Contains("Stop 'cdc run' first", run.Error, StringComparison.Ordinal);
        Assert.Equal(before, await StateAsync(world));
    }

    [Fact]
    public async Task Adopt_takes_the_new_identity_and_goes_on_from_the_same_place()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync("UPDATE cdc.source SET system_identifier = '9', timeline = 4, state = 'gap', gap_kind = 'source-changed'");
        var through = await world.EngineAsync<string>("SELECT through_lsn::text FROM cdc.checkpoints");
        Assert.Equal(0, (await world.RunAsync("slot", "adopt", "--yes")).ExitCode);
        Assert.Equal("continuous", await VerdictAsync(world));
        Assert.Equal(
            "3 streaming " + through,
            await world.EngineAsync<string>("SELECT concat_ws(' ', s.generation, state, through_lsn) FROM cdc.source s, cdc.checkpoints")
        );
    }

    [Theory]
    [InlineData("UPDATE cdc.source SET system_identifier = '9', written_lsn = '0/1'", FailureKind.DeclaredGap)]
    [InlineData(
        "UPDATE cdc.source SET system_identifier = '9'; UPDATE cdc.checkpoints SET through_lsn = 'FFFF/0'",
        FailureKind.DeclaredGap
    )]
    [InlineData("UPDATE cdc.source SET system_identifier = '9', database_name = 'another'", FailureKind.DeclaredGap)]
    [InlineData("UPDATE cdc.source SET system_identifier = '9', state = 'gap', gap_kind = 'source-rewound'", FailureKind.DeclaredGap)]
    [InlineData("UPDATE cdc.source SET timeline = 4", FailureKind.Refused)]
    [InlineData("UPDATE cdc.source SET state = 'gap', gap_kind = 'source-rewound'", FailureKind.Refused)]
    public async Task Adopt_refuses_where_changes_may_be_missing(string broken, FailureKind kind)
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync(broken);
        var before = await StateAsync(world);
        Assert.Equal((int)kind, (await world.RunAsync("slot", "adopt", "--yes")).ExitCode);
        Assert.Equal(before, await StateAsync(world));
    }

    internal static Task<string> StateAsync(HostWorld world) =>
        world.EngineAsync<string>(
            "SELECT concat_ws(' ', s.*, (SELECT string_agg(c.*::text, ' ') FROM cdc.checkpoints c), (SELECT string_agg(t.*::text, ' ') FROM cdc.tables t)) FROM cdc.source s"
        );

    /// <summary>The codes of what <c>cdc check</c> finds.</summary>
    private static async Task<IReadOnlyList<string?>> CheckedAsync(HostWorld world)
    {
        var document = JsonDocument.Parse((await world.RunAsync("check", "--json")).Out).RootElement;
        return [.. document.GetProperty("findings").EnumerateArray().Select(f => f.GetProperty("code").GetString())];
    }

    internal static async Task<string?> VerdictAsync(HostWorld world) =>
        JsonDocument.Parse((await world.RunAsync("slot", "show", "--json")).Out).RootElement.GetProperty("verdict").GetString();

    /// <summary>Holds the slot as a running capture does.</summary>
    private sealed class Reader : IAsyncDisposable
    {
        private readonly LogicalReplicationConnection _connection;

        private Reader(LogicalReplicationConnection connection) => _connection = connection;

        public static async Task<Reader> StartAsync(HostWorld world)
        {
            await world.SourceAsync("CREATE PUBLICATION p FOR ALL TABLES");
            var connection = new LogicalReplicationConnection(world.SourceConnection);
            await connection.Open(HostWorld.Ct);
            var options = new PgOutputReplicationOptions("p", PgOutputProtocolVersion.V1, messages: true);
            var messages = connection
                .StartReplication(new PgOutputReplicationSlot(world.Slot), options, HostWorld.Ct)
                .GetAsyncEnumerator(HostWorld.Ct);
            await world.SourceAsync("SELECT pg_logical_emit_message(false, 'test', 'x')");
            await messages.MoveNextAsync();
            return new Reader(connection);
        }

        public ValueTask DisposeAsync() => _connection.DisposeAsync();
    }
}
