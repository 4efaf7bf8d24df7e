using System.Text.Json;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Host;

/// <summary>ops/sql/least-privilege.sql is run as it is; only the roles' names are the test's own, because roles are shared by a server's databases.</summary>
public sealed class LeastPrivilegeTests(TestServers servers)
{
    private readonly string _suffix = "_" + Guid.NewGuid().ToString("N")[..12];

    [Fact(Timeout = 180_000)]
    public async Task Check_is_ready_and_a_run_loads_and_streams_with_the_delivered_grants()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        var (source, engine) = (world.SourceConnection, world.EngineConnection);
        try
        {
            await world.SourceAsync(LeastPrivilege.Part("Source", _suffix));
            await world.EngineAsync(LeastPrivilege.Part("Engine, first", _suffix));
            await world.EngineAsync(LeastPrivilege.Part("Engine, second", _suffix));
            (world.SourceConnection, world.EngineConnection) = (As(source, "cdc_source"), As(engine, "cdc_engine"));

            var findings = JsonDocument
                .Parse((await world.RunAsync("check", "--json")).Out)
                .RootElement.GetProperty("findings")
                .EnumerateArray();
            // That one is the server's setting, not a privilege.
            Assert.Equal(["wal-keep-size"], findings.Select(f => f.GetProperty("code").GetString()!));

            await ExecuteAsync(
                source,
                "INSERT INTO loyalty_program (id, name) VALUES (1, 'Before the load'), (2, 'Deleted later'); INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'A', 5)"
            );
            await world.RunUntilAsync("SELECT count(*) = 4 AND bool_and(state = 'streaming') FROM cdc.tables");
            await ExecuteAsync(
                source,
                """
                UPDATE loyalty_card SET points = 7; INSERT INTO loyalty_card (id, program_id, code, points) VALUES (2, 1, ' ', 0);
                INSERT INTO loyalty_point_move (id, loyalty_card_id) VALUES (1, 1); DELETE FROM loyalty_program WHERE id = 2; TRUNCATE loyalty_point_history
                """
            );
            await world.RunUntilAsync(
                """
                SELECT (SELECT points FROM loyalty_cards WHERE id = 1) = 7 AND EXISTS (SELECT FROM cdc.quarantine WHERE key = 2)
                   AND EXISTS (SELECT FROM point_moves) AND NOT EXISTS (SELECT FROM promotion_programs WHERE id = 2) AND EXISTS (SELECT FROM cdc.floors)
                """
            );
            Assert.Equal(0, (await world.RunAsync("status")).ExitCode);
            Assert.Equal(0, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);
            Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
        }
        finally
        {
            await ExecuteAsync(source, $"DROP PUBLICATION cdc_loyalty; DROP OWNED BY cdc_source{_suffix}; DROP ROLE cdc_source{_suffix}");
            await ExecuteAsync(
                engine,
                $"DROP OWNED BY cdc_engine{_suffix}; REVOKE SET ON PARAMETER session_replication_role FROM cdc_engine{_suffix}; DROP ROLE cdc_engine{_suffix}"
            );
        }
    }

    private string As(string connection, string role) =>
        new NpgsqlConnectionStringBuilder(connection) { Username = role + _suffix }.ConnectionString;

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(HostWorld.Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(HostWorld.Ct);
    }
}
