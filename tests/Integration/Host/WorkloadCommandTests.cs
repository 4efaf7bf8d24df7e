using Cdc.Core.Failures;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class WorkloadCommandTests(TestServers servers)
{
    private const string Tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'loyalty%'";

    [Fact]
    public async Task It_fills_and_writes_the_database_that_is_named_and_not_the_configured_source()
    {
        await using var world = await HostWorld.CreateAsync(servers, migrated: false);
        await using var shop = await servers.Source.CreateDatabaseAsync("workload", ct: HostWorld.Ct);
        var before = await world.SourceAsync<long>(Tables);
        var run = await world.RunAsync(
            "workload",
            "--connection",
            shop.ConnectionString,
            "--seconds",
            "0.2",
            "--cards",
            "10",
            "--sessions",
            "1"
        );
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.True(await shop.ScalarAsync<long>("SELECT count(*) FROM loyalty_card", HostWorld.Ct) >= 10);
        Assert.Equal(before, await world.SourceAsync<long>(Tables));
    }

    [Theory]
    [InlineData("CREATE TABLE ir_module_module (id int)")]
    [InlineData("CREATE SCHEMA odoo; CREATE TABLE odoo.ir_module_module (id int)")]
    public async Task Where_an_Odoo_is_installed_it_writes_nothing(string odoo)
    {
        await using var world = await HostWorld.CreateAsync(servers, migrated: false);
        await using var real = await servers.Source.CreateDatabaseAsync("workload", ct: HostWorld.Ct);
        await real.ExecuteAsync(odoo, HostWorld.Ct);
        var run = await world.RunAsync("workload", "--connection", real.ConnectionString, "--seconds", "0.2", "--cards", "10");
        Assert.Equal((int)FailureKind.Refused, run.ExitCode);
        Assert.Contains($"An Odoo is installed in database {real.Name}", run.Error, StringComparison.Ordinal);
        Assert.Contains("CREATE DATABASE", run.Error, StringComparison.Ordinal);
        Assert.Equal(0L, await real.ScalarAsync<long>(Tables, HostWorld.Ct));
    }

    [Theory]
    [InlineData("Database=no_such_database", FailureKind.Configuration)]
    [InlineData("Port=1;Timeout=2", FailureKind.Unavailable)]
    [InlineData("Options=-c default_transaction_read_only=on", FailureKind.Unavailable)]
    public async Task What_the_server_refuses_is_explained_without_a_stack(string setting, FailureKind kind)
    {
        await using var world = await HostWorld.CreateAsync(servers, migrated: false);
        var server = await servers.Source.ConnectionStringAsync();
        var run = await world.RunAsync(
            "workload",
            "--connection",
            $"{server};Pooling=false;{setting}",
            "--seconds",
            "0.2",
            "--cards",
            "10"
        );
        Assert.Equal((int)kind, run.ExitCode);
        Assert.Contains("--connection", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }
}
