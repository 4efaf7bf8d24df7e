using System.Text.Json;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>Refused before anything is changed: every finding at once, with SQL that the server accepts and that repairs it.</summary>
public sealed class RefusalTests(OwnServers servers) : IClassFixture<OwnServers>
{
    [Fact]
    public async Task All_that_the_source_lacks_is_named_at_once_and_the_sql_that_is_printed_mends_it()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.Source.ExecuteAsync("ALTER SYSTEM SET wal_level = 'replica'", Scene.Ct);
        await RestartAsync(scene);
        await scene.Source.ExecuteAsync(
            """
            ALTER TABLE loyalty_card REPLICA IDENTITY NOTHING;
            ALTER TABLE loyalty_point_history DROP points_balance;
            ALTER TABLE loyalty_point_history ADD points_balance double precision GENERATED ALWAYS AS (points_amount * 2) STORED;
            """,
            Scene.Ct
        );
        await using var role = await ReaderRole.CreateAsync(scene.Source, null);
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ConnectionString = role.ConnectionString };

        var findings = await CheckAsync(scene);
        string[] expected = ["column-generated", "publication-missing", "replica-identity", "role-replication", "role-select", "wal-level"];
        Assert.Equal(expected, findings.Select(f => f.Code).Distinct().Order());
        var output = await scene.CommandAsync(4, "run");
        Assert.All(expected, code => Assert.Contains(code, output, StringComparison.Ordinal));
        await NothingWasChangedAsync(scene);

        foreach (var finding in findings.Where(f => f.Code != "column-generated"))
            await scene.Source.ExecuteAsync(finding.Remedy, Scene.Ct);
        await scene.Source.ExecuteAsync("ALTER TABLE loyalty_point_history ALTER COLUMN points_balance DROP EXPRESSION", Scene.Ct);
        await RestartAsync(scene);
        Assert.Empty(await CheckAsync(scene));
        await scene.EndsEqualAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct));
    }

    [Theory]
    [InlineData("FOR TABLE loyalty_card WHERE (id > 10), loyalty_point_move, loyalty_point_history, loyalty_program", "publication-filter")]
    [InlineData(
        "FOR TABLE loyalty_card, loyalty_point_move, loyalty_point_history, loyalty_program WITH (publish = 'insert, update')",
        "publication-operations"
    )]
    [InlineData("", "publication-empty")]
    public async Task A_publication_that_leaves_something_out_is_refused_and_the_sql_that_is_printed_mends_it(
        string definition,
        string code
    )
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.Source.ExecuteAsync($"CREATE PUBLICATION {scene.Publication} {definition}", Scene.Ct);
        var finding = Assert.Single(await CheckAsync(scene));
        Assert.Equal(code, finding.Code);
        Assert.Contains(code, await scene.CommandAsync(4, "run"), StringComparison.Ordinal);
        Assert.Equal(0L, await scene.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.source", Scene.Ct));
        await scene.Source.ExecuteAsync(finding.Remedy, Scene.Ct);
        var run = await scene.FollowingAsync();
        await scene.ChangeAsync();
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task A_wrong_password_is_refused_and_never_printed()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await using var role = await ReaderRole.CreateAsync(scene.Source, "right");
        await AskForPasswordAsync(servers.Source, role.Name);
        var right = scene.Bed.SourceOptions.ConnectionString;
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ConnectionString = role.ConnectionString + ";Password=wrong-and-secret" };
        Assert.Equal("source-password", Assert.Single(await CheckAsync(scene)).Code);
        var output = await scene.CommandAsync(3, "run");
        Assert.Contains("source-password", output, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-and-secret", output, StringComparison.Ordinal);

        await AskForPasswordAsync(servers.Engine, "nobody_knows");
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with
        {
            ConnectionString = scene.Engine.ConnectionString + ";Username=nobody_knows;Password=wrong-and-secret",
        };
        output = await scene.CommandAsync(3, "run");
        Assert.Contains("source-password", output, StringComparison.Ordinal);
        Assert.Contains("The engine refuses the login", output, StringComparison.Ordinal);
        await scene.CommandAsync(3, "check");
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with
        {
            ConnectionString = scene.Engine.ConnectionString + ";Username=nobody_knows",
        };
        Assert.Contains("it wants a password", await scene.CommandAsync(3, "run"), StringComparison.Ordinal);
        Assert.Contains("it wants a password", await scene.CommandAsync(3, "quarantine", "list"), StringComparison.Ordinal);
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with { ConnectionString = right };
        await NothingWasChangedAsync(scene);
    }

    [Fact]
    public async Task A_wrong_declaration_is_refused_with_every_error_and_its_line()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        var file = Path.GetTempFileName();
        try
        {
            var text = await File.ReadAllTextAsync(SourceTree.PathOf("schemas/entities.json"), Scene.Ct);
            await File.WriteAllTextAsync(file, text.Replace("\"float8\"", "\"flaot8\"", StringComparison.Ordinal), Scene.Ct);
            var environment = new Dictionary<string, string?>(scene.Bed.Environment()) { ["CDC__Entities"] = file };
            foreach (var command in new[] { "check", "run" })
            {
                var (code, output) = await CdcProcess.RunAsync([command], environment, Scene.Ct);
                Assert.Equal(3, code);
                Assert.True(output.Split("flaot8").Length > 3, output);
                Assert.Contains("line", output, StringComparison.Ordinal);
            }
            await NothingWasChangedAsync(scene);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private sealed record Found(string Code, string Remedy);

    /// <summary>The errors of <c>cdc check --json</c>, whose exit code says whether there are any.</summary>
    private static async Task<IReadOnlyList<Found>> CheckAsync(Scene scene)
    {
        var (code, output) = await CdcProcess.RunAsync(["check", "--json"], scene.Bed.Environment(), Scene.Ct);
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Contains(code, json.GetProperty("ok").GetBoolean() ? [0] : new[] { 3, 4 });
        return
        [
            .. json.GetProperty("findings")
                .EnumerateArray()
                .Where(f => f.GetProperty("isError").GetBoolean())
                .Select(f => new Found(f.GetProperty("code").GetString()!, f.GetProperty("remedy").GetString()!)),
        ];
    }

    /// <summary>Neither publication nor slot nor a followed source; and Odoo goes on working.</summary>
    private static async Task NothingWasChangedAsync(Scene scene)
    {
        Assert.Equal(
            "0|0",
            Assert.Single(
                await scene.Source.RowsAsync(
                    $"SELECT (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{scene.Slot}')",
                    Scene.Ct
                )
            )
        );
        Assert.Equal(0L, await scene.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.source", Scene.Ct));
        await scene.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1; DELETE FROM loyalty_card WHERE id = 50", Scene.Ct);
    }

    private async Task RestartAsync(Scene scene)
    {
        await servers.Source.StopAsync(ct: Scene.Ct);
        await servers.Source.StartAgainAsync(Scene.Ct);
        scene.ForgetConnections();
    }

    private static async Task AskForPasswordAsync(PgCluster server, string role)
    {
        var file = Path.Combine(server.DataDirectory, "pg_hba.conf");
        await File.WriteAllTextAsync(
            file,
            $"host all {role} 127.0.0.1/32 scram-sha-256\n" + await File.ReadAllTextAsync(file, Scene.Ct),
            Scene.Ct
        );
        await using var admin = NpgsqlDataSource.Create(server.ConnectionString("postgres"));
        await using var command = admin.CreateCommand("SELECT pg_reload_conf()");
        await command.ExecuteNonQueryAsync(Scene.Ct);
        await Eventually.True(
            "the server has read pg_hba.conf",
            async () =>
            {
                await using var look = admin.CreateCommand(
                    "SELECT pg_conf_load_time() > now() - interval '5 s' AND EXISTS (SELECT FROM pg_hba_file_rules WHERE $1 = ANY(user_name))"
                );
                look.Parameters.AddWithValue(role);
                return await look.ExecuteScalarAsync(Scene.Ct) is true;
            },
            ct: Scene.Ct
        );
    }
}
