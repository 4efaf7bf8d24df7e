using System.Globalization;
using Cdc.Core.Failures;
using Cdc.Host;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support.Odoo;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reverse;

/// <summary>The way back's part of the command line, against an Odoo.</summary>
public sealed class ReverseCommandTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(16)]
    [InlineData(18)]
    [InlineData(19)]
    public async Task What_is_installed_is_said_before_and_removed_again(int version)
    {
        await using var odoo = await OdooStandIn.StartAsync(servers, version, Ct);
        var before = await RunAsync(odoo, null, "reverse", "check");
        Assert.Equal(0, before.ExitCode);
        Assert.Contains("sequence: not possible", before.Out, StringComparison.Ordinal);
        Assert.Contains("level: possible", before.Out, StringComparison.Ordinal);

        var unasked = await RunAsync(odoo, null, "reverse", "install", "--user", "admin");
        Assert.Equal((int)FailureKind.Refused, unasked.ExitCode);
        Assert.Contains("create the field x_cdc_seq on loyalty.card", unasked.Error, StringComparison.Ordinal);
        Assert.Equal(0, await FieldsAsync(odoo));

        var installed = await RunAsync(odoo, null, "reverse", "install", "--user", "admin", "--yes");
        Assert.True(installed.ExitCode == 0, installed.Error);
        Assert.Equal(version >= 18 ? 3 : 2, await FieldsAsync(odoo));
        var action = long.Parse(installed.Out.Trim().Split('=')[^1], CultureInfo.InvariantCulture);
        var again = await RunAsync(odoo, null, "reverse", "install", "--user", "admin");
        Assert.Equal((0, $"everything was there\nset CDC__Odoo__Action={action}\n"), (again.ExitCode, again.Out));

        var check = await RunAsync(odoo, action, "reverse", "check");
        Assert.Contains("sequence: possible", check.Out, StringComparison.Ordinal);
        Assert.Contains($"Odoo {version}.0 over {(version >= 19 ? "JSON-2" : "JSON-RPC")}", check.Out, StringComparison.Ordinal);
        var json = await RunAsync(odoo, action, "reverse", "check", "--json");
        Assert.Contains("\"way\": \"sequence\"", json.Out, StringComparison.Ordinal);

        var removed = await RunAsync(odoo, null, "reverse", "uninstall", "--yes");
        Assert.True(removed.ExitCode == 0, removed.Error);
        Assert.Equal(0, await FieldsAsync(odoo));
        Assert.Equal("nothing of it is in Odoo\n", (await RunAsync(odoo, null, "reverse", "uninstall")).Out);
        Assert.Contains("sequence: not possible", (await RunAsync(odoo, action, "reverse", "check")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_the_settings_is_said_in_words()
    {
        await using var odoo = await OdooStandIn.StartAsync(servers, 19, Ct);
        await FailsAsync(FailureKind.Configuration, "Odoo:Url", new() { ["CDC__Odoo__Url"] = "" });
        await FailsAsync(FailureKind.Configuration, "must be a URL", new() { ["CDC__Odoo__Url"] = "odoo.example.com" });
        await FailsAsync(FailureKind.Configuration, "Odoo:Key is missing", new() { ["CDC__Odoo__Key"] = "" });
        await FailsAsync(FailureKind.Configuration, "does not know the key", new() { ["CDC__Odoo__Key"] = "wrong" });
        await FailsAsync(FailureKind.Configuration, "no such database", new() { ["CDC__Odoo__Database"] = "other" });
        await FailsAsync(FailureKind.Configuration, "'cdc reverse install' told", new() { ["CDC__Odoo__Action"] = "-1" });
        var noFile = await RunAsync(odoo, null, "reverse", "install", "--admin-key-file", "nowhere");
        Assert.Equal((int)FailureKind.Usage, noFile.ExitCode);
        await odoo.StopAsync();
        await FailsAsync(FailureKind.Unavailable, "takes no connection", []);

        async Task FailsAsync(FailureKind kind, string says, Dictionary<string, string> settings)
        {
            var run = await RunAsync(Environment(odoo, null, settings), "reverse", "check");
            Assert.Equal((int)kind, run.ExitCode);
            Assert.Contains(says, run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_user_without_rights_has_no_way()
    {
        await using var odoo = await OdooStandIn.StartAsync(servers, 19, Ct);
        var installed = await RunAsync(odoo, null, "reverse", "install", "--yes");
        Assert.Contains("no user was named", installed.Out, StringComparison.Ordinal);
        var action = long.Parse(installed.Out.Trim().Split('=')[^1], CultureInfo.InvariantCulture);
        var user = await odoo.Database.ScalarAsync<int>("INSERT INTO res_users (login, active) VALUES ('bot', true) RETURNING id", Ct);
        var key = await odoo.CreateKeyAsync(user, Ct);
        var check = await RunAsync(Environment(odoo, action, new() { ["CDC__Odoo__Key"] = key }), "reverse", "check");
        Assert.Equal((int)FailureKind.Preflight, check.ExitCode);
        Assert.Contains("sequence: not possible", check.Out, StringComparison.Ordinal);
        var admitted = await RunAsync(odoo, null, "reverse", "install", "--user", "bot", "--yes");
        Assert.Contains("add the user bot to the group", admitted.Error, StringComparison.Ordinal);
        var possible = await RunAsync(Environment(odoo, action, new() { ["CDC__Odoo__Key"] = key }), "reverse", "check");
        Assert.Equal(0, possible.ExitCode);
    }

    private static Task<long> FieldsAsync(OdooStandIn odoo) =>
        odoo.Database.ScalarAsync<long>("SELECT count(*) FROM ir_model_fields WHERE name LIKE 'x\\_cdc\\_%'", Ct);

    private static Task<CommandRun> RunAsync(OdooStandIn odoo, long? action, params string[] args) =>
        RunAsync(Environment(odoo, action, []), args);

    private static Task<CommandRun> RunAsync(Dictionary<string, string> environment, params string[] args) =>
        CommandRun.StartAsync(Composition.Connect(), environment, null, new StringWriter { NewLine = "\n" }, args, Ct);

    private static Dictionary<string, string> Environment(OdooStandIn odoo, long? action, Dictionary<string, string> settings) =>
        new Dictionary<string, string>
        {
            ["CDC__Odoo__Url"] = odoo.Address.ToString(),
            ["CDC__Odoo__Database"] = odoo.Database.Name,
            ["CDC__Odoo__Login"] = odoo.Login,
            ["CDC__Odoo__Key"] = odoo.Key,
            ["CDC__Odoo__Action"] = (action ?? 0).ToString(CultureInfo.InvariantCulture),
            ["CDC__Odoo__Attempts"] = "1",
        }
            .Concat(settings)
            .GroupBy(s => s.Key)
            .ToDictionary(s => s.Key, s => s.Last().Value);
}
