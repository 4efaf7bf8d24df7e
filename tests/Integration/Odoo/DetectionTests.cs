using System.Text.Json;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>'cdc check' knows which Odoo it is over, and which declaration is made for that.</summary>
public sealed class DetectionTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<OdooVersion, string> Installed =>
        new()
        {
            { OdooVersion.Odoo16, "16.0.1.3" },
            { OdooVersion.Odoo16Points, "16.0.1.3" },
            { OdooVersion.Odoo17, "17.0.1.3" },
            { OdooVersion.Odoo18, "saas~18.2.1.3" },
            { OdooVersion.Odoo19, "19.0.1.3" },
            { OdooVersion.Odoo20, "20.0.1.3" },
        };

    [Theory]
    [MemberData(nameof(Installed))]
    public async Task Each_Odoo_is_known_by_its_list_of_modules_or_by_its_columns_and_its_preset_is_ready(
        OdooVersion version,
        string installed
    )
    {
        await using var cdc = await OdooCommands.CreateAsync(servers, version);
        await cdc.InstallAsync(installed);
        if (version == OdooVersion.Odoo20)
            await cdc.Source.ExecuteAsync("ALTER TABLE loyalty_card DROP COLUMN points", Ct);
        // From 20 on the sums of history.
        Assert.Equal(0, (await cdc.RunAsync(version.Preset(), "migrate")).ExitCode);
        var check = await cdc.RunAsync(version.Preset(), "check", "--json");
        Assert.Equal((version.Preset(), installed), Odoo(check));
        Assert.Equal(0, check.ExitCode);
        // A role that may not read the list.
        await cdc.Source.ExecuteAsync("UPDATE ir_module_module SET latest_version = NULL", Ct);
        Assert.Equal((version.Preset(), null), Odoo(await cdc.RunAsync(version.Preset(), "check", "--json")));
        // The delivered declaration is for another one, unless by chance: what fits is said.
        var other = await cdc.RunAsync(null, "check");
        Assert.Contains($"preset {version.Preset()}", other.Out, StringComparison.Ordinal);
        Assert.Contains(
            $"warning preset-fits: The source is Odoo {(version == OdooVersion.Odoo16Points ? 16 : (int)version)}",
            other.Out,
            StringComparison.Ordinal
        );
        Assert.Contains($"-> export CDC__Entities={version.Preset()}", other.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OdooVersion.Odoo19, "19.0.1.3", "odoo-16", "preset-version", false, "odoo-19")]
    [InlineData(OdooVersion.Odoo18, "18.0.1.3", "odoo-20", "preset-version", true, "odoo-18")]
    // The column of points was left in place by the upgrade.
    [InlineData(OdooVersion.Odoo20, "20.0.1.3", "odoo-19", "points-frozen", true, "odoo-20")]
    public async Task A_preset_of_another_version_is_named_with_the_right_one(
        OdooVersion version,
        string installed,
        string preset,
        string code,
        bool isError,
        string right
    )
    {
        await using var cdc = await OdooCommands.CreateAsync(servers, version);
        await cdc.InstallAsync(installed);
        var check = await cdc.RunAsync(preset, "check", "--json");
        var finding = Findings(check).Single(f => f.GetProperty("code").GetString() == code);
        Assert.Equal(isError, finding.GetProperty("isError").GetBoolean());
        Assert.Contains(right, finding.GetProperty("remedy").GetString(), StringComparison.Ordinal);
        if (isError)
            Assert.Equal(4, check.ExitCode);
    }

    [Fact]
    public async Task Points_that_Odoo_says_it_does_not_store_are_never_read_whatever_its_version()
    {
        await using var cdc = await OdooCommands.CreateAsync(servers, OdooVersion.Odoo19);
        await cdc.InstallAsync("19.0.1.3");
        await cdc.Source.ExecuteAsync(
            "CREATE TABLE ir_model_fields (id serial PRIMARY KEY, model varchar, name varchar, store bool); INSERT INTO ir_model_fields (model, name, store) VALUES ('loyalty.card', 'points', false)",
            Ct
        );
        Assert.Contains(
            Findings(await cdc.RunAsync("odoo-19", "check", "--json")),
            f => f.GetProperty("code").GetString() == "points-frozen"
        );
        await cdc.Source.ExecuteAsync("UPDATE ir_model_fields SET store = true", Ct);
        Assert.DoesNotContain(Findings(await cdc.RunAsync("odoo-19", "check", "--json")), f => f.GetProperty("isError").GetBoolean());
    }

    [Fact]
    public async Task No_remedy_over_any_Odoo_with_any_declaration_changes_a_table_of_it()
    {
        foreach (var (version, installed) in Installed.Select(d => d.Data))
        {
            await using var cdc = await OdooCommands.CreateAsync(servers, version);
            await cdc.InstallAsync(installed);
            foreach (var declaration in (string?[])[null, "odoo-16", "odoo-16-points", "odoo-18", "odoo-20"])
                Assert.All(
                    Findings(await cdc.RunAsync(declaration, "check", "--json"))
                        .Where(f => !f.GetProperty("code").GetString()!.StartsWith("engine-", StringComparison.Ordinal)),
                    f => Assert.DoesNotMatch("(?i)ALTER TABLE|ALTER COLUMN|ADD COLUMN", f.GetProperty("remedy").GetString())
                );
        }
    }

    [Fact]
    public async Task A_preset_that_is_not_there_is_named_with_the_nearest_one()
    {
        await using var cdc = await OdooCommands.CreateAsync(servers, OdooVersion.Odoo19);
        var check = await cdc.RunAsync("odoo-21", "check");
        Assert.Equal(3, check.ExitCode);
        Assert.Contains("Did you mean \"odoo-", check.Error, StringComparison.Ordinal);
        var list = await cdc.RunAsync(null, "entities", "list");
        Assert.All(
            (string[])["odoo-16", "odoo-16-points", "odoo-17", "odoo-18", "odoo-19", "odoo-20"],
            name => Assert.Contains(name, list.Out, StringComparison.Ordinal)
        );
    }

    private static (string? Preset, string? Version) Odoo(CommandRun check)
    {
        var odoo = JsonDocument.Parse(check.Out).RootElement.GetProperty("odoo");
        return (odoo.GetProperty("preset").GetString(), odoo.GetProperty("version").GetString());
    }

    private static IReadOnlyList<JsonElement> Findings(CommandRun check) =>
        [.. JsonDocument.Parse(check.Out).RootElement.GetProperty("findings").EnumerateArray()];
}
